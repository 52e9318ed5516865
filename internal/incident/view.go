package incident

import (
	"fmt"
	"strings"
	"time"
)

// View is what a page about an incident shows, in its order. Formats render it and add nothing. Its texts are as records have them: a
// format makes them safe.
type View struct {
	Lang      Language
	Incident  *Incident
	Title     string
	Verdict   string   // one line
	State     string   // one line: how far it is dealt with
	Notes     []string // what a reader must know before anything else
	Why       []string
	Contained string // how much of what contains the account was done; "" where nothing has to be
	Next      *Step  // what to do next; nil where the events show nothing that is left
	NextText  string
	Tables    []Table
	Phases    []Phase
	Places    []Place // for the plot, the newest first
	Local     string  // the zone of local times; "" where it is UTC
	zone      *time.Location
}

// Phase is the steps of a phase of remediation.
type Phase struct {
	ID, Title string
	Steps     []Shown
}

// Shown is a step as it is shown.
type Shown struct {
	Step
	State StepState
	Said  string // the state in words
	Marks []string
}

// StepState is what is known of a step.
type StepState string

// The states of steps.
const (
	StepDone    StepState = "done"    // the events show it
	StepOpen    StepState = "open"    // the events would show it, and do not
	StepUnknown StepState = "unknown" // events do not show it
)

// Mark is the sign of a state in texts.
func (s StepState) Mark() string {
	switch s {
	case StepDone:
		return "[x]"
	case StepOpen:
		return "[ ]"
	}
	return "[?]"
}

// Table is a section with rows.
type Table struct {
	ID, Title string
	Intro     string
	Head      []Column
	Rows      []Row
	None      string // what stands where there are no rows
	Left      string // what is not shown
}

// Column is a column of a table.
type Column struct {
	Name string
	Kind ColumnKind
}

// ColumnKind says how the texts of a column are set.
type ColumnKind string

// The kinds of columns.
const (
	Words  ColumnKind = ""
	Name   ColumnKind = "name" // of a person, a rule or an application: it may be long
	Moment ColumnKind = "time"
	Count  ColumnKind = "number"
	Code   ColumnKind = "code" // to be copied
)

// Row is a row of a table.
type Row struct {
	Cells []string
	Class string // a severity, marked or gone
}

// AsPage is what a page about the incident shows: its steps come from a checklist, and local times are of a zone.
func (i *Incident) AsPage(c *Checklist, lang Language, zone *time.Location) *View {
	v := &View{Lang: lang, Incident: i, zone: zone, Why: i.Why, Places: i.SignIns.Places}
	if zone != time.UTC && zone.String() != "UTC" {
		v.Local = zone.String()
		if v.Local == "Local" {
			v.Local, _ = i.Updated.In(zone).Zone()
		}
	}
	v.verdict()
	v.phases(c.Steps(i, lang))
	v.contained()
	v.notes()
	v.Tables = append(v.Tables, v.containment(), v.timeline())
	if i.Account != "" {
		v.Tables = append(v.Tables, v.signIns())
	}
	v.Tables = append(v.Tables, v.things()...)
	v.Tables = append(v.Tables, v.alerts())
	for k := range v.Tables {
		v.Tables[k].lean()
	}
	return v
}

// Say is a text in the language of the page.
func (v *View) Say(english, japanese string) string {
	if v.Lang == Japanese {
		return japanese
	}
	return english
}

func (v *View) sayf(english, japanese string, a ...any) string {
	return fmt.Sprintf(v.Say(english, japanese), a...)
}

// UTC is a time of the world, "" for none.
func (v *View) UTC(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return at.UTC().Format("2006-01-02 15:04:05")
}

// There is a time where the reader is, "" for none.
func (v *View) There(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return at.In(v.zone).Format("2006-01-02 15:04:05")
}

// both is a time in UTC, and where the reader is.
func (v *View) both(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	if v.Local == "" {
		return v.UTC(at) + " UTC"
	}
	return v.UTC(at) + " UTC (" + v.There(at) + " " + v.Local + ")"
}

// verdict says in a line what is the matter, and in another how far it is dealt with.
func (v *View) verdict() {
	i := v.Incident
	if i.ID == "" {
		v.lookedUp()
		return
	}
	switch i.Level {
	case Confirmed:
		v.Verdict = v.sayf("Confirmed: %s was taken over", "確定: %s は乗っ取られています", i.Account)
	case Likely:
		v.Verdict = v.sayf("Likely: %s was probably taken over", "濃厚: %s は乗っ取られた可能性が高い状態です", i.Account)
	case Suspicious:
		v.Verdict = v.sayf("Suspicious: %s may have been taken over", "疑い: %s は乗っ取られたかもしれません", i.Account)
	default:
		v.Verdict = v.sayf("Noticed: the events do not show that %s was taken over", "記録のみ: %s が乗っ取られたことを示すイベントはありません", i.Account)
	}
	v.Title = v.sayf("Incident %d of %s", "%[2]s のインシデント %[1]d", i.Number, i.Account)
	switch i.Status {
	case Contained:
		v.State = v.sayf("Contained since %s", "%s から封じ込め済み", v.both(i.Contained))
	case Closed:
		v.State = v.sayf("Closed at %s", "%s に終了", v.both(i.Closed))
	default:
		v.State = v.sayf("Open since %s", "%s から対応中", v.both(i.Opened))
	}
	v.State += v.sayf("; score %d of 100, now %d", "、点数 %d / 100、現在 %d", i.Score, i.ScoreNow)
	if i.ConfirmedBy != "" {
		v.State += v.sayf("; confirmed by %s", "、確定の根拠 %s", i.ConfirmedBy)
	}
	if i.Reopened > 0 {
		v.State += v.sayf("; opened again %s", "、再開 %s", v.times(i.Reopened))
	}
}

// lookedUp says what was found of an account, or a tenant, that somebody has asked for.
func (v *View) lookedUp() {
	i := v.Incident
	v.Title = v.Say("Account ", "アカウント ") + i.Account
	if i.Account == "" {
		v.Title = strings.TrimSpace(v.Say("Tenant ", "テナント ") + i.Tenant)
	}
	switch i.AlertsTotal {
	case 0:
		v.Verdict = v.Say("No rule gives an alert", "アラートを出したルールはありません")
	case 1:
		v.Verdict = v.sayf("1 alert, of the severity %s", "アラート 1 件、重大度 %s", i.Severity)
	default:
		v.Verdict = v.sayf("%d alerts, the gravest of the severity %s", "アラート %d 件、最も高い重大度 %s", i.AlertsTotal, i.Severity)
	}
	v.State = v.Say("This was looked up; it is no incident. Events show what changed, not what has stood since before them.",
		"調査の結果であり、インシデントではありません。イベントは変化だけを示し、それ以前からの状態は示しません。")
}

func (v *View) times(n int) string {
	if v.Lang == Japanese {
		return fmt.Sprintf("%d 回", n)
	}
	if n == 1 {
		return "once"
	}
	return fmt.Sprintf("%d times", n)
}

// phases sorts steps into their phases.
func (v *View) phases(steps []Step) {
	titles := map[string]string{Preserve: v.Say("1. Preserve: nothing is recorded afterwards", "1. 保全: 後からは記録されない"),
		Contain: v.Say("2. Contain", "2. 封じ込め"), BySign: v.Say("3. Undo what was found", "3. 見つかったものを元に戻す"), Prevent: v.Say("4. Prevent", "4. 再発の防止")}
	for _, id := range Phases {
		p := Phase{ID: id, Title: titles[id]}
		for k := range steps {
			if s := &steps[k]; s.Phase == id {
				p.Steps = append(p.Steps, v.shown(s))
				if v.Next == nil && s.Needed && !s.Done {
					v.Next = s
				}
			}
		}
		if len(p.Steps) > 0 {
			v.Phases = append(v.Phases, p)
		}
	}
	if v.Next != nil {
		v.NextText = v.Say("Next: ", "次: ") + v.Next.Text
	}
}

// shown is a step with what is known of it.
func (v *View) shown(s *Step) Shown {
	out := Shown{Step: *s, State: StepUnknown, Said: v.Say("not known from events", "イベントからは分からない")}
	switch {
	case s.Done:
		out.State, out.Said = StepDone, v.Say("seen as done in events", "イベントで完了を確認")
	case s.Known:
		out.State, out.Said = StepOpen, v.Say("not seen in events yet", "イベントではまだ見えない")
	}
	if s.Tenant {
		out.Marks = append(out.Marks, v.Say("changes the whole tenant", "テナント全体に影響"))
	}
	if s.Command == "" {
		out.Marks = append(out.Marks, v.Say("no command: what records say is too long for one", "コマンドなし: 記録の値が長すぎる"))
	}
	return out
}

// contained counts what was done.
func (v *View) contained() {
	done := 0
	for _, d := range v.Incident.Containment {
		if !d.Done.IsZero() {
			done++
		}
	}
	if n := len(v.Incident.Containment); n > 0 {
		v.Contained = v.sayf("Contained: %d of %d", "封じ込め: %d / %d", done, n)
	}
}

// notes are what must be known first.
func (v *View) notes() {
	i := v.Incident
	if i.Drill {
		v.Notes = append(v.Notes, v.Say("This is a drill: nothing has happened.", "これは訓練です。実際には何も起きていません。"))
	}
	if i.Manual != "" {
		v.Notes = append(v.Notes, v.Say("Opened by hand: ", "手動で作成: ")+i.Manual)
	}
	if i.Hybrid {
		v.Notes = append(v.Notes, v.Say("The account is synchronised from a directory of your own. The next synchronisation undoes a block in the cloud: disable the account and reset its password there, twice, then synchronise.",
			"このアカウントは社内のディレクトリから同期されています。クラウドでのブロックは次の同期で元に戻ります。社内のディレクトリで無効にし、パスワードを 2 回リセットしてから同期してください。"))
	}
	if len(i.Members) > 0 {
		v.Notes = append(v.Notes, v.sayf("Part of a campaign against %d accounts: %s", "%d 個のアカウントに対する一連の攻撃: %s", len(i.Members), strings.Join(i.Members, ", ")))
	}
	if i.Parent != "" {
		v.Notes = append(v.Notes, v.Say("Part of the campaign ", "一連の攻撃の一部: ")+i.Parent)
	}
	if len(i.Cut) > 0 {
		v.Notes = append(v.Notes, v.Say("Too much for one incident; told in part: ", "多すぎるため一部だけを示すもの: ")+strings.Join(i.Cut, ", "))
	}
}
