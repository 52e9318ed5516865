package house

import (
	"fmt"
	"go/ast"
	"os"
	"path"
	"regexp"
	"strings"
	"testing"
)

// hops is the chapter of CONTRIBUTING that shows the way of an event.
func hops(t *testing.T) string {
	t.Helper()
	b, err := os.ReadFile("../../CONTRIBUTING.md")
	if err != nil {
		t.Fatal(err)
	}
	_, text, ok := strings.Cut(string(b), "## One event, seven hops\n")
	if !ok {
		t.Fatal("CONTRIBUTING does not show the seven hops")
	}
	text, _, _ = strings.Cut(text, "\n## ")
	return text
}

var inCode = regexp.MustCompile("`([a-z]+)\\.([A-Z]\\w*)(?:\\.([A-Z]\\w*))?`")

// TestTheSevenHopsAreInTheCode: each name that CONTRIBUTING gives stands in the package that it names.
func TestTheSevenHopsAreInTheCode(t *testing.T) {
	text := hops(t)
	all, _ := sources(t)
	declared := map[string]bool{}
	for _, s := range all {
		if !s.test {
			declare(declared, path.Base(s.room), s.file)
		}
	}
	if !declared["ingest.Input.Next"] || !declared["bus.Events"] || declared["ingest.Nothing"] {
		t.Fatal("the names of the code are not found")
	}
	names := inCode.FindAllString(text, -1)
	if len(names) < 15 {
		t.Errorf("only %d names", len(names))
	}
	for _, name := range names {
		if !declared[strings.Trim(name, "`")] {
			t.Errorf("%s is not in the code", name)
		}
	}
	for n := 1; n <= 7; n++ {
		if !regexp.MustCompile(fmt.Sprintf("(?m)^%d\\. .*`[a-z]+\\.[A-Z]", n)).MatchString(text) {
			t.Errorf("hop %d names nothing in the code", n)
		}
	}
}

// declare notes what a file declares: package.Name, and package.Type.Method, also of interfaces.
func declare(in map[string]bool, pkg string, f *ast.File) {
	for _, d := range f.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			in[pkg+"."+receiver(d)+d.Name.Name] = true
		case *ast.GenDecl:
			for _, s := range d.Specs {
				switch s := s.(type) {
				case *ast.TypeSpec:
					in[pkg+"."+s.Name.Name] = true
					if i, ok := s.Type.(*ast.InterfaceType); ok {
						for _, m := range i.Methods.List {
							for _, n := range m.Names {
								in[pkg+"."+s.Name.Name+"."+n.Name] = true
							}
						}
					}
				case *ast.ValueSpec:
					for _, n := range s.Names {
						in[pkg+"."+n.Name] = true
					}
				}
			}
		}
	}
}

// receiver is the type of a method, and a dot; "" of a function.
func receiver(f *ast.FuncDecl) string {
	if f.Recv == nil {
		return ""
	}
	of := f.Recv.List[0].Type
	if p, ok := of.(*ast.StarExpr); ok {
		of = p.X
	}
	if i, ok := of.(*ast.IndexExpr); ok {
		of = i.X
	}
	if id, ok := of.(*ast.Ident); ok {
		return id.Name + "."
	}
	return ""
}
