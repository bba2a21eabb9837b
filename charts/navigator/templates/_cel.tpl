{{/*
Pieces of CEL (the language of admission policies) that more than one policy needs.
*/}}

{{/* A list of strings as CEL. */}}
{{- define "navigator.celList" -}}
[{{ range $i, $text := . }}{{ if $i }}, {{ end }}{{ printf "'%s'" $text }}{{ end }}]
{{- end }}

{{/* The object, now or before, has a key of ours, or our class or label: the rest of the cluster's pods is none of our business. */}}
{{- define "navigator.isOurs" -}}
[object, oldObject].exists(pod, pod != null && (
  (has(pod.metadata.annotations) && pod.metadata.annotations.exists(key, key.startsWith('navigator.sandbox/')))
  || (has(pod.metadata.labels) && 'navigator.sandbox/injected' in pod.metadata.labels)
  || (has(pod.spec.runtimeClassName) && pod.spec.runtimeClassName in ['navigator', 'navigator-canary'])))
{{- end }}

{{/*
(dict "type" T "value" V) -> V as CEL; T is the type of an object (Object.spec.initContainers), from which those of its fields follow.
The amounts of resources are a map, whose keys are data.
*/}}
{{- define "navigator.celValue" -}}
{{- $type := .type }}
{{- if kindIs "slice" .value -}}
[{{ range $i, $value := .value }}{{ if $i }}, {{ end }}{{ include "navigator.celValue" (dict "type" $type "value" $value) }}{{ end }}]
{{- else if and (kindIs "map" .value) (or (hasSuffix ".requests" $type) (hasSuffix ".limits" $type)) -}}
{{ "{" }}{{ range $i, $name := keys .value | sortAlpha }}{{ if $i }}, {{ end }}'{{ $name }}': '{{ index $.value $name }}'{{ end }}{{ "}" }}
{{- else if kindIs "map" .value -}}
{{ $type }}{{ "{" }}{{ range $i, $name := keys .value | sortAlpha }}{{ if $i }},{{ end }}
  {{ $name }}: {{ include "navigator.celValue" (dict "type" (printf "%s.%s" $type $name) "value" (index $.value $name)) | indent 2 | trim }}{{ end }}{{ "}" }}
{{- else if kindIs "string" .value -}}
'{{ .value }}'
{{- else -}}
{{ .value }}
{{- end }}
{{- end }}

{{/* Which pods are changed: the same for the mutating policy and the webhook. Both are matchConditions. */}}
{{- define "navigator.whatIsInjected" -}}
- name: opted-in
  expression: >-
    has(object.metadata.annotations) && 'navigator.sandbox/inject' in object.metadata.annotations && object.metadata.annotations['navigator.sandbox/inject'] == 'true'
- name: name-is-free
  expression: >-
    !object.spec.containers.exists(c, c.name == 'navigator')
    && (!has(object.spec.initContainers) || !object.spec.initContainers.exists(c, c.name == 'navigator'))
{{- end }}
