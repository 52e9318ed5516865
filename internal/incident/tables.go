package incident

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"noroshi/internal/alert"
)

// containment is what must be done before the account is contained.
func (v *View) containment() Table {
	t := Table{ID: "containment", Title: v.Say("Containment", "封じ込め"), None: v.Say("Nothing has to be done, as far as the events show.", "イベントから見て必要なことはありません。"),
		Head: []Column{{Name: v.Say("state", "状態")}, {v.Say("what must be done", "必要なこと"), Name}, {v.Say("seen, UTC", "確認 (UTC)"), Moment}, {v.Say("event", "イベント"), Code}}}
	for _, d := range v.Incident.Containment {
		state, class := v.Say("open", "未完了"), "open"
		if !d.Done.IsZero() {
			state, class = v.Say("done", "完了"), "done"
		}
		t.Rows = append(t.Rows, Row{[]string{state, d.Text, v.UTC(d.Done), d.EventID}, class})
	}
	return t
}

// timeline is what happened, in order of time.
func (v *View) timeline() Table {
	i := v.Incident
	t := Table{ID: "timeline", Title: v.Say("Timeline", "タイムライン"), None: v.Say("No event of the account was seen.", "このアカウントのイベントはありません。"), Head: v.whens("", "")}
	t.Head = append(t.Head, Column{Name: v.Say("kind", "種類")}, Column{v.Say("what happened", "できごと"), Name}, Column{v.Say("from", "接続元"), Name}, Column{v.Say("rule, event", "ルール、イベント"), Code})
	for k := range i.Timeline {
		e := &i.Timeline[k]
		text := e.Text
		if e.Count > 1 {
			text += fmt.Sprintf(" (× %d)", e.Count)
		}
		kind, class := v.kind(e)
		id := e.EventID
		if e.Rule != "" {
			id = e.Rule + " " + id
		}
		t.Rows = append(t.Rows, Row{append(v.when(e.Time), kind, text, from(e), id), class})
	}
	if left := i.TimelineTotal - len(i.Timeline); left > 0 {
		t.Left = v.sayf("%d more entries are not kept; context goes first.", "ほかに %d 件は保存されていません。", left)
	}
	return t
}

// whens are the columns of a time.
func (v *View) whens(english, japanese string) []Column {
	utc := Column{strings.TrimSpace(v.Say(english+" UTC", japanese+" UTC")), Moment}
	if v.Local == "" {
		return []Column{utc}
	}
	return []Column{utc, {strings.TrimSpace(v.Say(english, japanese) + " " + v.Local), Moment}}
}

// when is a time in these columns.
func (v *View) when(at time.Time) []string {
	if v.Local == "" {
		return []string{v.UTC(at)}
	}
	return []string{v.UTC(at), v.There(at)}
}

// kind is the kind of an entry in words, and its class.
func (v *View) kind(e *Entry) (kind, class string) {
	switch e.Kind {
	case Sign:
		return strings.TrimSpace(v.Say("alert", "アラート") + " " + e.Severity), severity(e)
	case Closing:
		return v.Say("closing", "対処"), "done"
	}
	return v.Say("context", "経過"), ""
}

// severity is the severity of an entry, "" where it is none that we know.
func severity(e *Entry) string {
	if slices.Contains(alert.Severities, e.Severity) {
		return e.Severity
	}
	return ""
}

// from is where an entry came from.
func from(e *Entry) string {
	all := []string{e.IP, e.Country}
	if e.ASN != 0 {
		all = append(all, fmt.Sprintf("AS%d", e.ASN))
	}
	all = append(all, e.Client)
	return strings.Join(slices.DeleteFunc(all, func(s string) bool { return s == "" }), " ")
}

// signIns are the places of sign-ins.
func (v *View) signIns() Table {
	in := &v.Incident.SignIns
	t := Table{ID: "sign-ins", Title: v.Say("Sign-ins by place", "場所ごとのサインイン"), None: v.Say("No sign-in was seen.", "サインインはありません。"),
		Intro: v.sayf("%d succeeded, %d failed.", "成功 %d 回、失敗 %d 回。", in.Succeeded, in.Failed),
		Head:  []Column{{v.Say("address", "アドレス"), Code}, {Name: v.Say("country", "国")}, {Name: "AS"}, {v.Say("succeeded", "成功"), Count}, {v.Say("failed", "失敗"), Count}}}
	t.Head = append(t.Head, v.whens("first,", "最初")...)
	t.Head = append(t.Head, v.whens("last,", "最後")...)
	t.Head = append(t.Head, Column{Name: ""})
	for k := range in.Places {
		p := &in.Places[k]
		as, mark, class := "", "", ""
		if p.ASN != 0 {
			as = fmt.Sprintf("AS%d", p.ASN)
		}
		if p.Marked {
			mark, class = v.Say("marked by a rule", "ルールが検知"), "marked"
		}
		cells := append([]string{p.IP, p.Country, as, fmt.Sprint(p.Succeeded), fmt.Sprint(p.Failed)}, v.when(p.First)...)
		t.Rows = append(t.Rows, Row{append(append(cells, v.when(p.Last)...), mark), class})
	}
	if in.Left > 0 {
		t.Left = v.sayf("%d more places are not kept.", "ほかに %d か所は保存されていません。", in.Left)
	}
	return t
}

// things are what the account has, or gave, a table for each kind.
func (v *View) things() (all []Table) {
	i := v.Incident
	for _, one := range []struct {
		id, title, none string
		things          []Thing
	}{
		{"inbox-rules", v.Say("Inbox rules", "受信トレイのルール"), v.Say("No inbox rule was seen.", "受信トレイのルールは見えていません。"), i.InboxRules},
		{"forwarding", v.Say("Forwarding", "転送"), v.Say("No forwarding was seen.", "転送は見えていません。"), i.Forwarding},
		{"roles", v.Say("Roles", "ロール"), v.Say("No role was seen.", "ロールは見えていません。"), i.Roles},
		{"consents", v.Say("Consents", "同意"), v.Say("No consent was seen.", "同意は見えていません。"), i.Consents},
		{"applications", v.Say("Applications", "アプリケーション"), v.Say("No application was seen.", "アプリケーションは見えていません。"), i.Apps},
		{"delegates", v.Say("Delegates", "代理人"), v.Say("No delegate was seen.", "代理人は見えていません。"), i.Delegates},
		{"methods", v.Say("Authentication methods", "認証方法"), v.Say("No change was seen.", "変更は見えていません。"), i.MFAChanges},
		{"devices", v.Say("Devices", "機器"), v.Say("No device was seen.", "機器は見えていません。"), i.Devices},
		{"audit", v.Say("Audit switches", "監査の設定"), v.Say("No change was seen.", "変更は見えていません。"), i.Audit},
	} {
		t := Table{ID: one.id, Title: one.title, None: one.none, Head: []Column{{v.Say("name", "名前"), Name}, {v.Say("of", "対象"), Name}, {v.Say("detail", "内容"), Name}, {v.Say("by", "実行者"), Name},
			{v.Say("since, UTC", "開始 (UTC)"), Moment}, {v.Say("gone, UTC", "解除 (UTC)"), Moment}, {v.Say("known from", "情報源"), Name}}}
		for k := range one.things {
			t.Rows = append(t.Rows, v.thing(&one.things[k]))
		}
		all = append(all, t)
	}
	return all
}

// thing is a row about a thing.
func (v *View) thing(x *Thing) Row {
	seen := v.Say("an event", "イベント")
	if x.Seen == "export" || !x.AsOf.IsZero() {
		seen = v.Say("an export", "エクスポート")
	}
	if !x.AsOf.IsZero() {
		seen += v.sayf(" as of %s", " %s 時点", v.UTC(x.AsOf))
	}
	if x.EventID != "" {
		seen += " " + x.EventID
	}
	of := x.Of
	if of == OfTenant {
		of = v.Say("the tenant", "テナント全体")
	}
	class := ""
	switch {
	case !x.Gone.IsZero():
		class = "done"
	case x.During:
		class = "marked"
	}
	name := cmp.Or(x.Name, x.ID, v.Say("without a name", "名前なし"))
	if x.During {
		name += v.Say(" (new)", " (新規)")
	}
	return Row{[]string{name, of, x.Detail, x.By, v.UTC(x.Since), v.UTC(x.Gone), seen}, class}
}

// alerts are the rules that fired, the most alerts first.
func (v *View) alerts() Table {
	i := v.Incident
	t := Table{ID: "alerts", Title: v.Say("Alerts", "アラート"), None: v.Say("No rule fired.", "アラートはありません。"), Head: []Column{{v.Say("rule", "ルール"), Code}, {v.Say("alerts", "件数"), Count}}}
	var ids []string
	for id := range i.Rules {
		ids = append(ids, id)
	}
	slices.SortFunc(ids, func(a, b string) int { return cmp.Or(i.Rules[b]-i.Rules[a], cmp.Compare(a, b)) })
	for _, id := range ids {
		t.Rows = append(t.Rows, Row{Cells: []string{id, fmt.Sprint(i.Rules[id])}})
	}
	if left := i.AlertsTotal - len(i.Alerts); left > 0 {
		t.Left = v.sayf("The ids of %d more alerts are not kept.", "ほかに %d 件の ID は保存されていません。", left)
	}
	return t
}

// lean leaves columns out that have no text in any row.
func (t *Table) lean() {
	for k := len(t.Head) - 1; k >= 0 && len(t.Rows) > 0; k-- {
		if slices.ContainsFunc(t.Rows, func(r Row) bool { return r.Cells[k] != "" }) {
			continue
		}
		t.Head = slices.Delete(t.Head, k, k+1)
		for n := range t.Rows {
			t.Rows[n].Cells = slices.Delete(t.Rows[n].Cells, k, k+1)
		}
	}
}
