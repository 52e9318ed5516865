package reference

// entry says of a key what no reader can: what it is for, and what holds without it.
type entry struct {
	path string
	// without is what holds where the key is missing: a value in backquotes, words, or needed. A test writes each value down and
	// finds that nothing changes, and finds that nothing works without a key that is needed.
	without string
	doc     string
}

const needed = "needed"

// The groups of keys that stand in several places. The table has each once, under this name.
const (
	groupHTTP       = "http"
	groupCredential = "credential"
	groupSASL       = "sasl"
	groupTemplates  = "templates"
)

// entries are all keys, in the order in which the page shows them.
var entries = []entry{
	{"sources", "", "Where records come from. Each is one of the kinds below."},
	{"rules", "the shipped rules alone", "Files and folders with rules of your own, beside the shipped ones."},
	{"sinks", "", "Where alerts go. Each has a name and one of the kinds below."},
	{"kafka", "a Kafka inside the process", "The Kafka that keeps records and alerts."},
	{"lists", "", "Lists that rules look things up in."},
	{"geography", "", "Databases of addresses (`.mmdb`) that tell countries and networks."},
	{"tenants", "", "What holds for single tenants, by their ids."},
	{"library", "", "What is changed of shipped rules."},
	{"exceptions", "", "What rules do not count, with a reason, an owner and an end."},
	{"lateness", "the usual times", "How late the events of a dataset come."},
	{"admin", "nothing listens", "The listener for those who operate an instance."},
	{"watch", "all is told", "How noroshi watches itself."},
	{"telemetry", "", "Where metrics and traces go, and how the log is written."},

	{"kafka.brokers", "a Kafka inside the process", "Hosts and ports of your own Kafka."},
	{"kafka.data", "`noroshi-data`", "The folder of the Kafka inside the process. `--data` of the commands goes before it."},
	{"kafka.prefix", "`noroshi.`", "How the names of topics, groups and transactional ids begin."},
	{"kafka.partitions", "`4`", "How many partitions a topic has. The number is for life. `checkpoints` and `status` have one."},
	{"kafka.cap_mib", "`1024`", "How many MiB the log of the Kafka inside the process may take."},
	{"kafka.sync", "`true`", "The Kafka inside the process waits for the disk before it stores a position."},
	{"kafka.transactions", "`true`", "Transactions are used where the brokers have them. With `false` records come at least once."},
	{"kafka.tls", "`false`", "The connection is by TLS."},
	{"kafka.ca_file", "that of the system", "PEM file of the authority that has signed the brokers' certificates. It sets `tls`."},
	{"kafka.sasl", "", "Who logs in at the brokers."},

	{"sources[].file", "", "Files on this machine."},
	{"sources[].file.paths", needed, "Paths and patterns such as `/var/log/m365/*.ndjson`."},
	{"sources[].file.follow", "`true`", "Go on reading what is added. With `false` what is there at the start is read."},
	{"sources[].file.poll", "`250ms`", "How often the files are looked at."},

	{"sources[].eventhub", "", "An event hub of Azure."},
	{"sources[].eventhub.connection_string", "`namespace` and `credential`", "The connection string of a shared access policy."},
	{"sources[].eventhub.namespace", "that of the connection string", "The host of the namespace."},
	{"sources[].eventhub.hub", "`EntityPath` of the connection string", "The name of the event hub."},
	{"sources[].eventhub.credential", "the connection string", "Who reads."},
	{"sources[].eventhub.consumer_group", "the group `$Default`", "A consumer group for Noroshi alone."},
	{"sources[].eventhub.start", "`earliest`", "Where the very first start begins."},
	{"sources[].eventhub.tenants", "all", "Ids of tenants. Records of others become dead letters."},
	{"sources[].eventhub.transport", "`amqp`", "AMQP uses port 5671, WebSocket port 443."},
	{"sources[].eventhub.proxy", "none", "A proxy for the hub. It sets `transport: websocket`."},
	{"sources[].eventhub.endpoint", "the namespace", "What is dialled instead of the namespace, such as a private link."},
	{"sources[].eventhub.ca_file", "that of the system", "PEM file of the authorities that are trusted."},
	{"sources[].eventhub.name", "namespace and hub", "The name of the source in topics and logs."},

	{"sources[].o365", "", "The unified audit log of a tenant, through the Management Activity API."},
	{"sources[].o365.tenant", needed, "The tenant. Records of others become dead letters."},
	{"sources[].o365.credential", needed, "Who reads."},
	{"sources[].o365.content", "`[Audit.AzureActiveDirectory, Audit.Exchange, Audit.SharePoint, Audit.General]`", "The content types that are read."},
	{"sources[].o365.cloud", "`public`", "The cloud of the tenant."},
	{"sources[].o365.start", "`earliest`", "Where the very first start begins; the API keeps 7 days."},
	{"sources[].o365.backfill", "`oldest`", "Which end of the past is read first."},
	{"sources[].o365.poll", "1m", "How often new content is looked for."},
	{"sources[].o365.quota", "2000", "Requests a minute, for all instances together."},
	{"sources[].o365.publisher", "that of `tenant`", "The tenant of who runs Noroshi, which has a quota of its own."},
	{"sources[].o365.proxy", "none", "A proxy, also for signing in."},
	{"sources[].o365.endpoint", "Microsoft's hosts", "What is dialled instead of Microsoft's hosts."},
	{"sources[].o365.ca_file", "that of the system", "PEM file of the authorities that are trusted."},
	{"sources[].o365.name", "`o365-` and the tenant's first digits", "The name of the source in topics and logs."},

	{"sources[].kafka", "", "A topic of a Kafka."},
	{"sources[].kafka.topic", needed, "The topic."},
	{"sources[].kafka.brokers", "those of the key `kafka`", "Hosts and ports of the Kafka."},
	{"sources[].kafka.tls", "`false`", "The connection is by TLS."},
	{"sources[].kafka.ca_file", "that of the system", "PEM file of the authority that has signed the brokers' certificates. It sets `tls`."},
	{"sources[].kafka.sasl", "", "Who logs in at the brokers."},
	{"sources[].kafka.connection_string", "", "For the Kafka endpoint of Event Hubs: the connection string."},
	{"sources[].kafka.namespace", "", "For the Kafka endpoint of Event Hubs: the host of the namespace."},
	{"sources[].kafka.credential", "", "For the Kafka endpoint of Event Hubs: who reads."},
	{"sources[].kafka.start", "`earliest`", "Where the very first start begins."},
	{"sources[].kafka.tenants", "all", "Ids of tenants. Records of others become dead letters."},
	{"sources[].kafka.name", "`kafka-` and the topic", "The name of the source in topics and logs."},

	{"credential.kind", needed, "How the identity proves itself."},
	{"credential.cloud", "that of `AZURE_AUTHORITY_HOST`, else `public`", "The cloud that signs in. A source `o365` takes its own."},
	{"credential.tenant", "that of the environment", "The tenant of the identity."},
	{"credential.client", "that of the environment", "The application's id, or that of a managed identity that a user has made."},
	{"credential.secret", "", "The secret of the application, for the kind `client_secret`."},
	{"credential.certificate", "", "PEM or PKCS#12 file with certificate and key, for the kind `certificate`."},
	{"credential.password", "", "The password of that file."},
	{"credential.token_file", "that of the environment", "The file with the token, for the kind `workload_identity`."},

	{"sasl.mechanism", needed, "How the user proves who it is."},
	{"sasl.user", needed, "The user."},
	{"sasl.password", needed, "The password."},

	{"sinks[].name", needed, "The name of the sink. It is its place in the topic of alerts, so keep it."},
	{"sinks[].reads", "`alerts`", "What the sink is told."},
	{"sinks[].min_severity", "all severities", "The least severity of its alerts."},
	{"sinks[].classes", "all classes", "Classes of its alerts."},
	{"sinks[].rules", "all rules", "Ids of the rules of its alerts."},
	{"sinks[].max_age", "1h for sinks that wake people, else no limit", "Of alerts that have waited longer comes one summary."},
	{"sinks[].rate", "1/s for `slack`, else no limit", "How many alerts it gets at most."},
	{"sinks[].redact", "nothing", "What the destination is not to know."},
	{"sinks[].redact_key", "", "The secret behind values with `hash`, at least 16 characters."},

	{"http.url", needed, "The address. `http://` needs `allow_http: true`."},
	{"http.ca_file", "that of the system", "PEM file of the authorities that are trusted."},
	{"http.cert_file", "", "The client's certificate, PEM. The file may hold the key too."},
	{"http.key_file", "that of `cert_file`", "The client's key, PEM."},
	{"http.server_name", "the host", "The name on the destination's certificate."},
	{"http.proxy", "none", "A proxy, with user and password where it wants them."},
	{"http.timeout", "15s", "How long one request may take, with its answer."},
	{"http.allow_private", "`false`", "Loopback and private addresses are allowed too."},
	{"http.allow_http", "`false`", "Requests may go without TLS."},

	{"templates.title", "the usual title", "The title, as a template."},
	{"templates.summary", "the usual summary", "The summary, as a template."},
	{"templates.link", "no link", "A link, as a template. It begins with a host of yours."},

	{"sinks[].alertmanager", "", "Prometheus Alertmanager."},
	{"sinks[].alertmanager.url", needed, "The address. `/api/v2/alerts` is added."},
	{"sinks[].alertmanager.keep", "24h", "How long an alert is firing after its last revision."},
	{"sinks[].alertmanager.headers", "", "Further headers, such as `Authorization`."},
	{"sinks[].alertmanager.templates", "the usual texts", "Texts of your own."},

	{"sinks[].elasticsearch", "", "Elasticsearch and OpenSearch."},
	{"sinks[].elasticsearch.index", "`logs-noroshi.alert-default`", "An index or a data stream."},
	{"sinks[].elasticsearch.format", "`ecs`", "How alerts are written."},
	{"sinks[].elasticsearch.user", "", "The user, with `password`."},
	{"sinks[].elasticsearch.password", "", "The password."},
	{"sinks[].elasticsearch.api_key", "", "An encoded key of Elasticsearch, instead of user and password."},
	{"sinks[].elasticsearch.headers", "", "Further headers."},
	{"sinks[].elasticsearch.allow_private", "`true`", "Loopback and private addresses are allowed too."},

	{"sinks[].email", "", "People, by a mail server."},
	{"sinks[].email.address", needed, "Host and port of the mail server."},
	{"sinks[].email.from", needed, "The sender."},
	{"sinks[].email.to", needed, "1 to 50 recipients."},
	{"sinks[].email.tls", "implicit at port 465, else starttls", "How the connection becomes secret."},
	{"sinks[].email.user", "", "The user, where the server wants one."},
	{"sinks[].email.password", "", "The password. It needs TLS."},
	{"sinks[].email.credential", "", "For Exchange Online: who asks Microsoft Entra ID for a token. `user` is the mailbox."},
	{"sinks[].email.templates", "the usual texts", "Texts of your own."},
	{"sinks[].email.timeout", "30s", "How long connecting, and each mail, may take."},
	{"sinks[].email.allow_private", "`true`", "Loopback and private addresses are allowed too."},

	{"sinks[].file", "", "A file with one JSON object a line."},
	{"sinks[].file.path", needed, "The file. Its folder must be there."},
	{"sinks[].file.fsync", "`true`", "Wait until the disk has it."},
	{"sinks[].file.max_mib", "`100`", "Put the file aside before it grows beyond; 0 for never."},
	{"sinks[].file.keep", "`10`", "How many files put aside are kept."},

	{"sinks[].heartbeat", "", "A dead man's switch, as long as records become alerts."},
	{"sinks[].heartbeat.ping_url", needed, "The address. Whoever has it can keep the alarm quiet."},
	{"sinks[].heartbeat.every", "`5m`", "How often it is asked for."},
	{"sinks[].heartbeat.method", "`GET`", "The method of the request."},

	{"sinks[].kafka", "", "A topic of a Kafka."},
	{"sinks[].kafka.brokers", needed, "Hosts and ports. One that answers is enough."},
	{"sinks[].kafka.topic", needed, "The topic. It must be there, and must not be one of Noroshi's own."},
	{"sinks[].kafka.format", "`noroshi`", "How alerts are written."},
	{"sinks[].kafka.tls", "`false`", "The connection is by TLS. Keys of certificates say so too."},
	{"sinks[].kafka.sasl", "", "Who logs in at the brokers."},
	{"sinks[].kafka.timeout", "`30s`", "How long one attempt may take."},
	{"sinks[].kafka.allow_private", "`true`", "Loopback and private addresses are allowed too."},

	{"sinks[].otlp", "", "Receivers of OpenTelemetry."},
	{"sinks[].otlp.protocol", "`http`", "HTTP with protobuf, or gRPC."},
	{"sinks[].otlp.format", "`noroshi`", "How the body of a log record is written."},
	{"sinks[].otlp.headers", "", "Further headers, or metadata of gRPC."},
	{"sinks[].otlp.allow_private", "`true`", "Loopback and private addresses are allowed too."},

	{"sinks[].pagerduty", "", "PagerDuty."},
	{"sinks[].pagerduty.routing_key", needed, "The integration key of a service of the kind Events API v2."},
	{"sinks[].pagerduty.url", "`https://events.pagerduty.com/v2/enqueue`", "The address; another one for accounts in the EU."},
	{"sinks[].pagerduty.templates", "the usual texts", "Texts of your own."},

	{"sinks[].sentinel", "", "Microsoft Sentinel."},
	{"sinks[].sentinel.url", needed, "The endpoint of the data collection rule, or of a data collection endpoint."},
	{"sinks[].sentinel.rule_id", needed, "The immutable id of the rule."},
	{"sinks[].sentinel.stream", "`Custom-NoroshiAlerts_CL`", "The stream of the rule."},
	{"sinks[].sentinel.credential", needed, "Who sends."},

	{"sinks[].slack", "", "A channel of Slack."},
	{"sinks[].slack.webhook_url", "`token` and `channel`", "The address of an incoming webhook. Whoever has it can post."},
	{"sinks[].slack.token", "", "The token of a bot."},
	{"sinks[].slack.channel", "", "The id of the bot's channel."},
	{"sinks[].slack.api_url", "`https://slack.com/api` of a bot", "The address of the API, for a bot."},
	{"sinks[].slack.templates", "the usual texts", "Texts of your own."},

	{"sinks[].splunk", "", "The HTTP Event Collector of Splunk."},
	{"sinks[].splunk.token", needed, "The token of the collector."},
	{"sinks[].splunk.index", "that of the token", "The index."},
	{"sinks[].splunk.source", "`noroshi`", "The source of the events."},
	{"sinks[].splunk.sourcetype", "`noroshi:alert`", "Their source type."},
	{"sinks[].splunk.host", "", "The host of the events."},
	{"sinks[].splunk.format", "`noroshi`", "How alerts are written."},
	{"sinks[].splunk.ack", "`false`", "Wait until the events are indexed."},
	{"sinks[].splunk.allow_private", "`true`", "Loopback and private addresses are allowed too."},

	{"sinks[].stdout", "", "The terminal. It has no keys: `stdout: {}`."},

	{"sinks[].syslog", "", "Receivers of syslog (RFC 5424)."},
	{"sinks[].syslog.address", needed, "Host and port. 6514 is usual for TLS."},
	{"sinks[].syslog.format", "`cef`", "How alerts are written."},
	{"sinks[].syslog.tls", "`true`", "The connection is by TLS."},
	{"sinks[].syslog.framing", "`octets`", "How messages are told apart: by their length before them, or by newlines."},
	{"sinks[].syslog.facility", "`local0`", "The facility of syslog."},
	{"sinks[].syslog.host", "the system's name", "The name of this machine in messages."},
	{"sinks[].syslog.allow_private", "`true`", "Loopback and private addresses are allowed too."},

	{"sinks[].teams", "", "A channel of Microsoft Teams."},
	{"sinks[].teams.workflow_url", needed, "The address of a workflow. Whoever has it can post."},
	{"sinks[].teams.templates", "the usual texts", "Texts of your own."},

	{"sinks[].webhook", "", "Any HTTPS address, with signed requests."},
	{"sinks[].webhook.secrets", needed, "One signing key, or two while one replaces the other: `whsec_` and base64 of 24 to 64 bytes."},
	{"sinks[].webhook.headers", "", "Further headers."},

	{"tenants.*.name", "", "The name of the tenant, for readers of the file."},
	{"tenants.*.lists", "those of all tenants", "Lists that stand in the place of the common ones."},

	{"library.off", "none", "Ids of rules that are not evaluated."},
	{"library.shadow", "none", "Ids of rules that are counted, and whose alerts nobody is told."},
	{"library.severity", "as the rules say", "Another severity for a rule."},
	{"library.points", "as the rules say", "Other points for a rule."},

	{"exceptions[].rules", needed, "Ids of rules, `class:access`, `guide:S3`, or `all`."},
	{"exceptions[].when", "with `tenant`: all its events", "What the event is like."},
	{"exceptions[].tenant", "all tenants", "The id of the tenant for which it holds."},
	{"exceptions[].because", needed, "The reason."},
	{"exceptions[].owner", needed, "Who answers for it."},
	{"exceptions[].until", "it has no end, and `check` warns", "Its last day, in UTC."},
	{"exceptions[].tests", "none", "Its proof, as rules have tests."},

	{"admin.listen", "no listener", "Address and port. One that other machines reach needs `token` and `tls`."},
	{"admin.probes", "no such listener", "Address and port that answer `/livez` and `/readyz` alone."},
	{"admin.token", "", "The token of requests, at least 16 characters."},
	{"admin.tls", "no TLS", "What makes the listener speak TLS."},
	{"admin.tls.cert_file", needed, "The certificate, PEM."},
	{"admin.tls.key_file", needed, "Its key, PEM."},
	{"admin.tls.client_ca_file", "clients need no certificate", "The authority whose certificates clients need, PEM."},

	{"watch.enabled", "`true`", "Whether noroshi tells by alerts what is wrong with itself."},
	{"watch.off", "none", "Those of its alerts that are not told."},
	{"watch.silent_from", "`1h`", "No source is silent sooner; at least 10m."},
	{"watch.ends_within", "`14d`", "How long before its end a certificate or an exception is told."},

	{"telemetry.otlp", "", "The collector that metrics and traces are sent to. What is left out, the usual variables `OTEL_…` say."},
	{"telemetry.otlp.endpoint", "nothing is sent", "The address of the collector, `https://` or `http://`."},
	{"telemetry.otlp.protocol", "HTTP", "By which protocol it is spoken to."},
	{"telemetry.otlp.headers", "", "Headers of each request."},
	{"telemetry.otlp.ca_file", "those of the system", "PEM file of the authorities that its certificate may come from."},
	{"telemetry.otlp.interval", "each minute", "How often metrics are sent."},
	{"telemetry.otlp.timeout", "10 seconds", "How long what is sent together may take."},
	{"telemetry.otlp.metrics", "`true`", "Metrics are sent. With `false` traces alone are."},
	{"telemetry.otlp.sample_percent", "each alert has one", "Of so many alerts in a hundred there is a trace."},
	{"telemetry.logs", "", "The log. The flags `--log-format` and `--log-level` go before it."},
	{"telemetry.logs.format", "text", "How a line is written."},
	{"telemetry.logs.level", "info", "From which level on something is logged."},

	{"lateness.*.wait", "the usual time", "How long a decision waits that rests on what has not come."},
	{"lateness.*.keep", "the usual time", "How long a window stays in memory after its end."},
}
