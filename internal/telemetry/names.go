package telemetry

import (
	"go.opentelemetry.io/otel/attribute"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
)

// Schema is the version of OpenTelemetry's conventions that names, units and keys keep to.
const Schema = semconv.SchemaURL

// Kind is what the values of an instrument do.
type Kind int

// The kinds of instruments.
const (
	Counter   Kind = iota // it only grows while a process runs
	Sum                   // it grows and falls; series can be added up
	Gauge                 // it is what was measured last
	Histogram             // it is how often values were within bounds
)

// Instrument is something that is counted or measured.
type Instrument struct {
	Name string
	Unit string // of UCUM; in braces what is counted
	Kind Kind
	Text string // what it says, in one sentence
	Keys []attribute.Key
	// Worry says when somebody should look, "" where the number alone never says so.
	Worry string
}

// The keys of series. None is an account, an address or a text of a record.
const (
	sourceName     = attribute.Key("noroshi.source.name")
	partitionID    = semconv.MessagingDestinationPartitionIDKey
	sinkName       = attribute.Key("noroshi.sink.name")
	ruleID         = attribute.Key("noroshi.rule.id")
	reason         = attribute.Key("noroshi.reason")
	datasetName    = attribute.Key("noroshi.dataset.name")
	serviceName    = semconv.ServiceNameKey
	serviceVersion = semconv.ServiceVersionKey
	stageName      = attribute.Key("noroshi.stage.name")
	signal         = attribute.Key("noroshi.telemetry.signal")
	overflow       = attribute.Key("otel.metric.overflow")
)

var (
	ofPartition = []attribute.Key{sourceName, partitionID}
	ofSource    = []attribute.Key{sourceName}
	ofSink      = []attribute.Key{sinkName}
	ofRule      = []attribute.Key{ruleID}
	ofSeverity  = []attribute.Key{alertSeverity}
	ofStage     = []attribute.Key{stageName}
	ofSignal    = []attribute.Key{signal}
)

// All are the instruments, in the order of their making.
var All []*Instrument

func counter(name, unit, text string, keys ...attribute.Key) *Instrument {
	return instrument(Counter, name, unit, text, keys)
}

func sum(name, unit, text string, keys ...attribute.Key) *Instrument {
	return instrument(Sum, name, unit, text, keys)
}

func gauge(name, unit, text string, keys ...attribute.Key) *Instrument {
	return instrument(Gauge, name, unit, text, keys)
}

func histogram(name, text string, keys ...attribute.Key) *Instrument {
	return instrument(Histogram, name, "s", text, keys)
}

func instrument(kind Kind, name, unit, text string, keys []attribute.Key) *Instrument {
	i := &Instrument{Name: "noroshi." + name, Unit: unit, Kind: kind, Text: text, Keys: keys}
	All = append(All, i)
	return i
}

// worry says when somebody should look.
func (i *Instrument) worry(text string) *Instrument {
	i.Worry = text
	return i
}

// Records, from the sources to the detector.
var (
	RecordsStored     = counter("record.stored", "{record}", "Records that were stored for the detector.")
	RecordsUnknown    = counter("record.unknown", "{record}", "Stored records of no known kind, which no rule can match.").worry("it grows as fast as noroshi.record.stored: a collector wraps records in a way that is not read")
	RecordsUnresolved = counter("record.unresolved", "{record}", "Stored records whose account is no user principal name.")
	RecordsNotUTF8    = counter("record.not_utf8", "{record}", "Stored records that are not UTF-8.").worry("it grows: the export writes another encoding")
	RecordsPartial    = counter("record.partial", "{record}", "Stored records inside which an audit record cannot be read.").worry("it grows: what stands inside these records is not looked at")
	RecordsEvaluated  = counter("record.evaluated", "{record}", "Records that were evaluated.")
	RecordsRepeated   = counter("record.repeated", "{record}", "Records that were not evaluated because they had come before.")
	RecordsMissed     = counter("record.missed", "{record}", "Records of our log that were deleted or damaged before they were read.").worry("it grows")
	RecordsTooLarge   = counter("record.too_large", "{record}", "Records that their topic did not take.").worry("it grows: raise max.message.bytes of the topic")
	ListsCut          = counter("record.lists_cut", "{list}", "Lists in records that are longer than conditions look into.")
	Overflows         = counter("record.repeats_overflow", "{record}", "Recent records that were forgotten before their time, because there were too many.").worry("it grows: repeats are evaluated again")
	TooLate           = counter("memory.too_late", "{event}", "Events that came when rules had forgotten their neighbours.").worry("it grows: raise keep under lateness")
	MemoryOverflow    = counter("memory.overflow", "{event}", "Events that rules forgot before their time, because a key had too many.").worry("it grows: counts of a rule are too small")
	MemoryEvicted     = counter("memory.evicted", "{key}", "Keys that rules forgot before their time, because a tenant had too many.").worry("it grows: rules have forgotten accounts")
	MemoryUndecided   = counter("memory.undecided", "{event}", "Events of which it could not be decided whether a rule fires.")
	MemoryRestored    = counter("memory.restored", "{key}", "Keys of rules whose memory was read back.")
	MemoryLost        = counter("memory.lost", "{partition}", "Partitions whose memory began anew, because it did not belong to the place in their records.").worry("it grows")
	MemoryUnreadable  = counter("memory.unreadable", "{key}", "Keys of rules whose memory could not be read back.").worry("it grows: another version has written the memory")
	MemoryUnknown     = counter("memory.unknown", "{key}", "Keys of rules that are gone or look at something else now.")
	MemoryRows        = counter("memory.rows", "{row}", "Rows of memory that were written.")
	MemoryBytes       = counter("memory.bytes", "By", "The size of the rows of memory that were written.")
	SignalsWritten    = counter("signal.written", "{signal}", "Signals that were written for rules whose key is not the account.")
	SignalsApplied    = counter("signal.applied", "{signal}", "Signals that such rules have looked at.")
	SignalsSkipped    = counter("signal.skipped", "{signal}", "Signals that had been applied before.")
	SignalsUnknown    = counter("signal.unknown", "{hit}", "Hits in signals that count for nothing: of rules that this instance lacks, or has in another version.").worry("it grows: instances have different rules")
	SignalsUnreadable = counter("signal.unreadable", "{signal}", "Signals that could not be read.").worry("it grows: instances are of different versions")
	SignalsRestored   = counter("signal.memory.restored", "{key}", "Keys of such rules whose memory was read back.")
	SignalsRows       = counter("signal.memory.rows", "{row}", "Rows of their memory that were written.")
	SignalsBytes      = counter("signal.memory.bytes", "By", "The size of these rows.")
	SignalsWaiting    = gauge("signal.waiting", "{partition}",
		"Partitions of signals whose clocks stand, because a partition of events has not told yet how far the sources have come.").worry("it stays above 0 for minutes: an instance that reads sources is away")
	Letters = counter("letter.stored", "{letter}", "Dead letters that were stored.").worry("it grows: noroshi dead-letters list says why")
)

// Alerts.
var (
	AlertsFound       = counter("alert.found", "{alert}", "Alerts that rules gave.")
	AlertsRevised     = counter("alert.revised", "{alert}", "Later revisions of alerts: more of the same came.")
	AlertsCut         = counter("alert.cut", "{alert}", "Alerts of which something was left out because it was too long.")
	AlertsEvidenceCut = counter("alert.evidence_cut", "{alert}", "Alerts of whose evidence something was left out.")
)

// Delays.
var (
	EventDelay    = histogram("alert.event_delay", "The time from an event to the alert that it gave.", ofSeverity...).worry("its upper part grows without a change at the sources")
	EnqueuedDelay = histogram("alert.enqueued_delay", "The time from when the source took a message to the alert that its record gave.", ofSeverity...).worry("its upper part passes a second")
	DeliveryDelay = histogram("sink.delay", "The time from when an alert was stored until the sink was done with it.", sinkName, outcome).worry("its upper part passes what you promise to those who are paged")
)

// Telemetry itself.
var (
	Exports       = counter("telemetry.exports", "{export}", "Times that the collector has taken metrics or traces.", ofSignal...)
	ExportsFailed = counter("telemetry.exports_failed", "{export}", "Times that it has not, so that they are lost.", ofSignal...).worry("it grows: look at the collector")
	SpansSent     = counter("telemetry.spans_sent", "{span}", "Spans that the collector has taken.")
	SpansLost     = counter("telemetry.spans_lost", "{span}", "Spans that it has not taken, or that were too many to wait for it.").worry("it grows: look at the collector, or sample less")
	Crowded       = sum("telemetry.crowded", "{instrument}", "Instruments that have more series than they may, so that some of them are one.").worry("it is above 0: series are missing")
)

// Rules.
var (
	RuleEvaluated = counter("rule.evaluated", "{record}", "Records on which the rule's condition was tried; the index passes over the others.", ofRule...)
	RuleFailed    = counter("rule.failed", "{record}", "Records on which the rule's condition failed, so that it counts as false.", ofRule...).worry("it grows: the condition compares what it cannot")
	RuleExcused   = counter("rule.excused", "{record}", "Records that satisfy the rule and that an exception excuses.", ofRule...)
	RuleFired     = counter("rule.fired", "{alert}", "Alerts that the rule gave.", ofRule...)
	RuleShadow    = counter("rule.shadow", "{alert}", "Alerts that the rule would have given if it were not in shadow.", ofRule...)
	RuleTimed     = counter("rule.timed", "{record}", "Records on which the rule's condition was timed, which are about one in a thousand.", ofRule...)
	RuleTime      = counter("rule.timed_duration", "ns", "The time that the condition took on these records.", ofRule...).worry("divided by noroshi.rule.timed it stands out among the rules: give the condition a constant that is compared exactly")
	RuleBuilding  = counter("rule.building", "{alert}", "Findings of the rule that are for other rules alone.", ofRule...)
)

// The stages of the detector.
var (
	StageTaken   = counter("stage.taken", "{partition}", "Partitions that have fallen to this instance, again whenever instances come and go.", ofStage...).worry("it grows while nobody starts or stops an instance")
	StageCommits = counter("stage.commits", "{commit}", "Times that alerts, memory and places were stored together.", ofStage...)
	StageRefused = counter("stage.commits_refused", "{commit}", "Times that nothing of these was stored, so that all came again.", ofStage...).worry("it grows steadily: look at the brokers")
	StageStale   = counter("stage.stale", "{row}", "Rows of memory that an instance wrote after it had lost the partition, and that do not count.", ofStage...)
	StageKeys    = sum("stage.keys", "{key}", "Keys that rules remember now, to about a minute.", ofStage...).worry("it grows for days: rules remember more than their windows need")
	CommitTime   = histogram("stage.commit_duration", "The time that a commit took.", ofStage...).worry("its upper part passes a second")
	RestoreTime  = histogram("stage.restore_duration", "The time that it took to read the memory of a partition back.", ofStage...)
)

// Rule sets.
var (
	RulesReloaded = counter("rules.reloaded", "{reload}", "Times that changed rules were taken over while running.")
	RulesRefused  = counter("rules.refused", "{reload}", "Times that changed rules were not taken over because of mistakes in files.").worry("it grows: noroshi status names the file")
	RulesDiffer   = sum("rules.differ", "{instance}", "Other instances that have had different rules for longer than a minute.").worry("it stays above 0: give all instances the same files")
)

// Streams, by partition.
var (
	SourceOwned      = sum("source.owned", "{partition}", "Whether this instance reads the partition, 1 or 0.", ofPartition...)
	SourceMessages   = counter("source.messages", "{message}", "Messages that were stored.", ofPartition...)
	SourceRecords    = counter("source.records", "{record}", "Records in these messages.", ofPartition...)
	SourceBytes      = counter("source.io", "By", "The size of these messages.", ofPartition...)
	SourceUnresolved = counter("source.unresolved", "{record}", "Records whose account is no user principal name.", ofPartition...)
	SourceNotUTF8    = counter("source.not_utf8", "{record}", "Records that are not UTF-8.", ofPartition...)
	SourcePartial    = counter("source.partial", "{record}", "Records inside which an audit record cannot be read.", ofPartition...)
	SourceSequence   = gauge("source.position", "{message}", "The number of the message stored last.", ofPartition...)
	SourceFirst      = gauge("source.first", "{message}", "The number of the oldest message that the stream has.", ofPartition...)
	SourceLast       = gauge("source.last", "{message}", "The number of the newest message that the stream has.", ofPartition...)
	SourceLag        = sum("source.lag", "{message}", "Messages that wait in the stream.", ofPartition...).worry("it grows for minutes: the sources bring more than is taken")
	SourceAge        = gauge("source.age", "s", "How old the message stored last is while others wait, else 0.", ofPartition...).worry("it grows for minutes")
	SourceCommitted  = counter("source.committed", "{transaction}", "Transactions that were committed.", ofPartition...)
	SourceAborted    = counter("source.aborted", "{transaction}", "Transactions that were given up.", ofPartition...).worry("it grows steadily: look at the brokers")
	SourceMissed     = counter("source.missed", "{message}", "Messages that the stream deleted or left out before they were read.", ofPartition...).worry("it grows: messages are lost; raise the retention of the hub")
	SourceRestarts   = counter("source.restarts", "{restart}", "Times that reading was interrupted, by reason.", sourceName, partitionID, reason).worry("it grows steadily: noroshi status tells the reason")
	SourceLetters    = counter("source.letters", "{letter}", "Dead letters of the partition, by reason.", sourceName, partitionID, reason).worry("it grows: noroshi dead-letters list says why")
	DatasetRecords   = counter("source.dataset.records", "{record}", "Records of a dataset.", sourceName, partitionID, datasetName)
	DatasetDelay     = counter("source.dataset.delay", "ms", "The time that these records took from their events to the stream, in sum.", sourceName, partitionID, datasetName)
	DatasetLongest   = gauge("source.dataset.longest_delay", "ms", "The longest time that one of these records took.", sourceName, partitionID, datasetName)
)

// Listings of content types, by partition.
var (
	ListingWindows = counter("listing.windows", "{window}", "Windows of time whose blobs were listed.", ofPartition...)
	ListingPages   = counter("listing.pages", "{page}", "Pages of these listings.", ofPartition...)
	ListingBlobs   = counter("listing.blobs", "{blob}", "Blobs that were read.", ofPartition...)
	ListingLate    = counter("listing.late", "{blob}", "Blobs of these that were listed late.", ofPartition...)
	ListingLost    = counter("listing.lost", "{blob}", "Blobs, and spans of time, that expired before they were read.", ofPartition...).worry("it grows: content has expired unread")
	ListingWaiting = sum("listing.waiting", "{blob}", "Blobs that are listed and not read.", ofPartition...)
	ListingFailing = sum("listing.failing", "{blob}", "Blobs that are tried again now and then.", ofPartition...).worry("it stays above 0")
	ListingLeft    = sum("listing.requests_left", "{request}", "Requests that may be sent within the minute.", ofPartition...)
	ListingShare   = sum("listing.requests_share", "{request}", "Requests that are sent in a minute at most.", ofPartition...)
	ListingRefused = counter("listing.throttled", "{answer}", "Answers that say that the quota is used up.", ofPartition...).worry("it grows steadily: others use the quota, too")
	ListingPause   = gauge("listing.pause", "s", "How long no request is sent, because the quota is used up.", ofPartition...)
	ListingBehind  = gauge("listing.behind", "s", "How long ago that was up to which blobs are listed and read.", ofPartition...).worry("it grows for an hour")
	ListingPast    = gauge("listing.past_left", "s", "How much of the past is still to be listed.", ofPartition...)
	ListingAhead   = gauge("listing.clock_ahead", "ms", "How far the clock of this machine is ahead of the API's where they are apart.", ofPartition...).worry("it is above 5000: set the clock of this machine")
	ListingDelay   = counter("listing.delay", "ms", "The time that blobs were there before they were read, in sum.", ofPartition...)
	ListingDelayed = gauge("listing.last_delay", "ms", "How long the blob was there that was read last.", ofPartition...)
	ListingLongest = gauge("listing.longest_delay", "ms", "The longest time that a blob was there before it was read.", ofPartition...)
)

// Files, by source.
var (
	FilesFollowed = sum("file.followed", "{file}", "Files that are followed.", ofSource...)
	FilesOpen     = sum("file.open", "{file}", "Files that are held open.", ofSource...)
	FilesVain     = sum("file.vain", "{path}", "Paths and patterns of sources that name no file.", ofSource...).worry("it is above 0 where all files should be there")
	FilesFailing  = sum("file.failing", "{file}", "Files and folders that cannot be read.", ofSource...).worry("it is above 0")
	FilesRecords  = counter("file.records", "{record}", "Records and other lines that were stored.", ofSource...)
	FilesNot      = sum("file.not_files", "{path}", "Paths that a pattern matches and that are pipes, sockets or devices.", ofSource...)
	FilesPending  = sum("file.unfinished", "{file}", "Files whose last line has not been finished for a while.", ofSource...)
	FilesCut      = counter("file.cut", "{file}", "Times that a file was cut, rewritten or deleted before all of it was read for certain.", ofSource...).worry("it grows: rotate by renaming")
)

// Sinks.
var (
	SinkRead       = counter("sink.read", "{alert}", "Alerts that the sink has read: those sent, summarised, filtered, refused, held and returned.", ofSink...)
	SinkSummarised = counter("sink.summarised", "{alert}", "Alerts that were too old and that the destination has taken as part of a summary.", ofSink...)
	SinkHeld       = sum("sink.held", "{alert}", "Alerts that the sink has read and that have no end yet.", ofSink...)
	SinkReturned   = counter("sink.returned", "{alert}", "Alerts that the sink gave back without an end, and that are read again.", ofSink...)
	SinkUntold     = counter("sink.results_lost", "{alert}", "Results of deliveries that could not be stored.", ofSink...).worry("it grows: nobody knows what became of these alerts")
	SinkSent       = counter("sink.sent", "{alert}", "Alerts that the destination has taken.", ofSink...)
	SinkRefused    = counter("sink.refused", "{alert}", "Alerts that the destination refused and that became dead letters.", ofSink...).worry("it grows: noroshi dead-letters list says why")
	SinkFiltered   = counter("sink.filtered", "{alert}", "Alerts that the sink is not for, by min_severity, rules or classes.", ofSink...)
	SinkFaults     = counter("sink.faults", "{attempt}", "Attempts that failed and were tried again.", ofSink...).worry("it grows: noroshi status tells the last error")
	SinkSkipped    = counter("sink.skipped", "{message}", "Messages of the topic of alerts that are no alerts and were passed over.", ofSink...)
	SinkDelivering = sum("sink.delivering", "{sink}", "Whether the sink delivers, 1 or 0.", ofSink...).worry("it is 0 for a minute")
	SinkWaiting    = sum("sink.waiting", "{alert}", "Alerts that the sink has not delivered yet.", ofSink...)
	SinkOldest     = gauge("sink.oldest_waiting", "s", "How long the oldest of these alerts has waited.", ofSink...).worry("it is above 60 for a sink that pages")
)

// The log, which is our Kafka.
var (
	LogUsed       = sum("log.used", "By", "The size of the embedded log.").worry("it comes near noroshi.log.limit: sources stop at the limit")
	LogLimit      = sum("log.limit", "By", "The size that the embedded log may have.")
	TopicProblems = counter("topic.problems", "{problem}", "Settings of topics that were found not to be as they should be.").worry("it grows: noroshi status names the settings")
)
