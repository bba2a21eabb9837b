{{/*
Pieces of CEL (the language of admission policies) that more than one policy needs. The sidecar is written once, here, as data: the
mutating policy builds the container from it, the validating one compares with it.
*/}}

{{/* Sidecar facts: what the launcher needs, and why, is in docs/architecture.md. */}}
{{- define "navigator.sidecar" -}}
user: 64700
port: 8443
capabilities: [SYS_ADMIN, SYS_CHROOT, SYS_PTRACE, SETUID, SETGID, SETPCAP, KILL, CHOWN, DAC_OVERRIDE, FOWNER, NET_BIND_SERVICE, NET_ADMIN, NET_RAW]
environment: {POD_NAME: metadata.name, POD_NAMESPACE: metadata.namespace, POD_UID: metadata.uid}
{{- /* ServiceAccount admission adds the workload's token wherever nothing is mounted at its path: ours is. */}}
mounts:
  navigator-credentials: /var/run/secrets/kubernetes.io/serviceaccount
  navigator-gateway: /etc/navigator-gateway
  navigator-policy: /run/navigator-policy
{{- end }}

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
