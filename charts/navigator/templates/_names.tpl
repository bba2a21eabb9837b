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

{{/*
The node's configuration (docs/formats/node.md). A runtime reports an image by the name it was pulled by, so a short name is
listed in its full form too.
*/}}
{{- define "navigator.nodeSettings" -}}
{{- $image := include "navigator.sidecarImage" . }}
sidecar:
  images:
    - {{ $image }}
{{- if not (regexMatch "^(localhost|[^/]*[.:][^/]*)/" $image) }}
    - docker.io/{{ contains "/" $image | ternary $image (printf "library/%s" $image) }}
{{- end }}
policy:
  image: {{ .Values.node.imagePolicy }}
sandbox:
  uid: {{ int64 .Values.node.sandbox.uid }}
  gid: {{ int64 .Values.node.sandbox.gid }}
{{- end }}

{{/* Who injects: policy, webhook or none. */}}
{{- define "navigator.admissionMode" -}}
{{- if ne .Values.admission.mode "auto" -}}
{{ .Values.admission.mode }}
{{- else if semverCompare ">=1.36.0-0" .Capabilities.KubeVersion.Version -}}
policy
{{- else -}}
webhook
{{- end -}}
{{- end }}

{{/* The security context of a container that needs nothing. */}}
{{- define "navigator.nobody" -}}
runAsUser: 65532
runAsGroup: 65532
runAsNonRoot: true
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
seccompProfile: {type: RuntimeDefault}
{{- end }}

{{/* The service account's token, for the one container that mounts it. */}}
{{- define "navigator.credentials" -}}
- name: credentials
  projected:
    sources:
      - serviceAccountToken: {path: token, expirationSeconds: 3600}
      - configMap: {name: kube-root-ca.crt, items: [{key: ca.crt, path: ca.crt}]}
{{- end }}
