{{- define "noroshi.name" -}}
{{- if contains "noroshi" .Release.Name }}{{ .Release.Name | trunc 40 | trimSuffix "-" }}{{ else }}{{ printf "%s-noroshi" .Release.Name | trunc 40 | trimSuffix "-" }}{{ end -}}
{{- end }}

{{- define "noroshi.selector" -}}
app.kubernetes.io/name: noroshi
app.kubernetes.io/instance: {{ .Release.Name | quote }}
{{- end }}

{{- define "noroshi.labels" -}}
{{ include "noroshi.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service | quote }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | quote }}
{{- end }}

{{- /* parts are the StatefulSets: name, roles as a flag, and how many instances. */ -}}
{{- define "noroshi.parts" -}}
{{- if .Values.roles.apart -}}
{{- range $role := list "ingest" "detect" "deliver" }}
- {name: {{ $role | quote }}, roles: [{{ $role | quote }}], replicas: {{ (index $.Values.roles $role).replicas }}}
{{- end }}
{{- else }}
- {name: "all", roles: ["ingest", "detect", "deliver"], replicas: {{ .Values.roles.together.replicas }}}
{{- end }}
{{- end }}

{{- define "noroshi.embedded" -}}
{{- if not (dig "kafka" "brokers" (list) .Values.config) }}yes{{ end -}}
{{- end }}

{{- /* what the chart adds to the configuration. */ -}}
{{- define "noroshi.added" -}}
admin:
  probes: "0.0.0.0:9465"
  {{- if .Values.metrics.enabled }}
  listen: "0.0.0.0:9464"
  token: "${file:/etc/noroshi/admin/token/token}"
  tls: {cert_file: /etc/noroshi/admin/tls/tls.crt, key_file: /etc/noroshi/admin/tls/tls.key}
  {{- end }}
{{- if .Values.rules }}
rules: [/etc/noroshi/rules]
{{- end }}
{{- end }}
