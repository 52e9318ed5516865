package decode

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
	"golang.org/x/text/width"
)

// folderNames are the names that Outlook and Exchange give a mailbox's default folders, by class, in the languages that a
// mailbox can have. Names that two classes share in different languages are left to the first.
var folderNames = map[string][]string{
	"inbox": {"Inbox", "受信トレイ", "Posteingang", "Boîte de réception", "Bandeja de entrada", "Caixa de Entrada", "A Receber", "Posta in arrivo", "Postvak IN", "Inkorgen", "Indbakke", "Innboks", "Saapuneet", "Skrzynka odbiorcza", "Doručená pošta",
		"Входящие", "收件箱", "收件匣", "받은 편지함", "Gelen Kutusu"},
	"sent": {"Sent Items", "Sent", "送信済みアイテム", "Gesendete Elemente", "Éléments envoyés", "Elementos enviados", "Itens Enviados", "Posta inviata", "Verzonden items", "Skickat", "Sendt post", "Sendte elementer", "Lähetetyt", "Elementy wysłane", "Odeslaná pošta",
		"Отправленные", "已发送邮件", "寄件備份", "보낸 편지함", "Gönderilmiş Öğeler"},
	"drafts": {"Drafts", "下書き", "Entwürfe", "Brouillons", "Borradores", "Rascunhos", "Bozze", "Concepten", "Utkast", "Kladder", "Luonnokset", "Wersje robocze", "Koncepty", "Черновики", "草稿", "임시 보관함", "Taslaklar"},
	"deleted": {"Deleted Items", "Deleted", "Trash", "削除済みアイテム", "Gelöschte Elemente", "Éléments supprimés", "Elementos eliminados", "Itens Excluídos", "Itens Eliminados", "Posta eliminata", "Verwijderde items", "Borttaget", "Slettet post", "Slettede elementer",
		"Poistetut", "Elementy usunięte", "Odstraněná pošta", "Удаленные", "Удалённые", "已删除邮件", "刪除的郵件", "지운 편지함", "Silinmiş Öğeler", "Recoverable Items", "Deletions", "Purges"},
	"junk": {"Junk Email", "Junk E-mail", "Junk E-Mail", "Junk", "Spam", "迷惑メール", "Junk-E-Mail", "Courrier indésirable", "Correo no deseado", "Lixo Eletrônico", "Lixo Eletrónico", "E-mail de Lixo", "Posta indesiderata", "Ongewenste e-mail", "Skräppost", "Uønsket mail", "Uønsket e-post",
		"Søppelpost", "Roskaposti", "Wiadomości-śmieci", "Nevyžádaná pošta", "Нежелательная почта", "垃圾邮件", "垃圾郵件", "정크 메일", "Önemsiz E-posta"},
	"rss": {"RSS Feeds", "RSS Subscriptions", "RSS フィード", "RSS購読", "RSS 購読", "RSS-Feeds", "RSS-Abonnements", "Flux RSS", "Fuentes RSS", "Fuentes RSS de suscripción", "Feeds RSS", "RSS Feeds", "RSS-feeds", "RSS-flöden", "RSS-syötteet", "Źródła danych RSS", "Kanały informacyjne RSS",
		"Informační kanály RSS", "RSS-каналы", "RSS 源", "RSS 摘要", "RSS 피드", "RSS Akışları", "RSS-kilder"},
	"notes":   {"Notes", "メモ", "Notizen", "Notas", "Note", "Notities", "Anteckningar", "Noter", "Notater", "Muistilaput", "Muistiinpanot", "Notatki", "Poznámky", "Заметки", "便笺", "附註", "記事", "메모", "Notlar"},
	"archive": {"Archive", "アーカイブ", "Archiv", "Archivo", "Arquivo Morto", "Arquivo", "Archivio", "Archief", "Arkiv", "Arkisto", "Archiwum", "Archivovat", "Архив", "存档", "封存", "보관", "Arşiv", "In-Place Archive"},
	"conversation_history": {"Conversation History", "会話の履歴", "Aufgezeichnete Unterhaltungen", "Unterhaltungsverlauf", "Historique des conversations", "Historial de conversaciones", "Histórico de Conversas", "Histórico de conversação", "Cronologia conversazioni", "Gespreksgeschiedenis",
		"Konversationshistorik", "Samtalehistorik", "Samtalelogg", "Keskusteluhistoria", "Historia konwersacji", "Historie konverzací", "Журнал бесед", "对话历史记录", "交談記錄", "대화 내용", "Konuşma Geçmişi"},
	"sync": {"Sync Issues", "同期の失敗", "Synchronisierungsprobleme", "Problèmes de synchronisation", "Problemas de sincronización", "Problemas de Sincronização", "Problemi di sincronizzazione", "Synchronisatieproblemen", "Synkroniseringsproblem", "Synkroniseringsproblemer",
		"Synkronointiongelmat", "Problemy z synchronizacją", "Potíže se synchronizací", "Ошибки синхронизации", "同步问题", "同步處理問題", "동기화 문제", "Eşitleme Sorunları"},
}

var classOf = classes(folderNames)

func classes(names map[string][]string) map[string]string {
	m := map[string]string{}
	for _, class := range [...]string{"inbox", "sent", "drafts", "deleted", "junk", "rss", "notes", "archive", "conversation_history", "sync"} {
		for _, n := range names[class] {
			if k := foldFolder(n); m[k] == "" {
				m[k] = class
			}
		}
	}
	return m
}

// folderClass is FolderClass.
func (r *Reader) folderClass(path string) string { return r.classes.of(path, FolderClass) }

// FolderClass is what a mail folder is, by the last part of its path that tells, as what lies in RSS Feeds is hidden there, too: one of event.FolderClasses, custom for a folder of the
// user's own, "" for no folder. Case, width and blanks do not matter, nor does a mailbox before a colon.
func FolderClass(path string) string {
	path = strings.Trim(path, `\/ `)
	if path == "" {
		return ""
	}
	if _, after, ok := strings.Cut(path, `:\`); ok && after != "" {
		path = after
	}
	if class, ok := classOf[foldFolder(path)]; ok {
		return class
	}
	for rest := path; rest != ""; {
		i := strings.LastIndexAny(rest, `\/`)
		switch class := classOf[foldFolder(rest[i+1:])]; class {
		case "":
		case "inbox", "sent", "drafts": // what lies in these is a folder of the user's own
			if rest == path {
				return class
			}
		default:
			return class
		}
		rest = rest[:max(i, 0)]
	}
	return "custom"
}

// foldFolder drops what folder names differ in by accident: case, width, blanks, accents written as marks of their own.
func foldFolder(s string) string {
	var b strings.Builder
	for _, r := range norm.NFKC.String(width.Fold.String(s)) {
		if !unicode.IsSpace(r) {
			b.WriteRune(unicode.ToLower(r))
		}
	}
	return b.String()
}
