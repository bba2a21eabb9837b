{{/* Names, labels and images that several templates need. */}}

{{- define "navigator.labels" -}}
app.kubernetes.io/name: navigator
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version | replace "+" "_" }}
{{- end }}

{{/* (dict "image" .Values.images.sidecar "root" $) -> the reference */}}
{{- define "navigator.image" -}}
{{- with .image -}}
{{- if .digest -}}
{{ .repository }}@{{ .digest }}
{{- else -}}
{{ .repository }}:{{ .tag | default $.root.Chart.AppVersion }}
{{- end -}}
{{- end -}}
{{- end }}

{{- define "navigator.sidecarImage" -}}
{{ include "navigator.image" (dict "image" .Values.images.sidecar "root" $) }}
{{- end }}

{{- define "navigator.nodeImage" -}}
{{ include "navigator.image" (dict "image" .Values.images.node "root" $) }}
{{- end }}
