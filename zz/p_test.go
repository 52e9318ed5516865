package zz
import ("testing";"os";"context";"noroshi/internal/app";"noroshi/internal/alert";"noroshi/rules";"noroshi/detector")
func BenchmarkReplay(b *testing.B){
 dir := os.Getenv("RULES"); file := os.Getenv("EVENTS")
 set, ps := rules.Load(rules.Options{Paths: []string{dir}})
 if len(ps) > 0 { b.Fatal(ps[0]) }
 head := make([]byte, 4<<20); f, _ := os.Open(file); f.Read(head); f.Close()
 s := detector.New(set, detector.Options{Sample: app.Sample(head, 500)})
 for b.Loop() {
  f, _ := os.Open(file)
  r := app.Replay{Set: s, Workers: 1, Alert: func(a *alert.Alert) error { return nil }}
  st, err := r.Run(context.Background(), []app.Input{{Name: "x", From: f}})
  if err != nil { b.Fatal(err) }
  b.ReportMetric(float64(st.Records), "records")
  b.ReportMetric(float64(st.Candidates), "cand"); b.ReportMetric(float64(st.Runs), "runs"); b.ReportMetric(float64(st.Alerts), "alerts")
 }
}
