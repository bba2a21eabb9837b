{{/*
What an annotated pod gets, written once, as data: the mutating policy builds it in CEL, the webhook takes it as JSON, the validating policy
compares with it.
*/}}

{{/* Facts: what the launcher needs, and why, is in manifests/examples/pod.yaml. */}}
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

{{/* The container. The volume of the policy is mounted on top, in pods that have one. */}}
{{- define "navigator.sidecarContainer" -}}
{{- $sidecar := include "navigator.sidecar" . | fromYaml -}}
{{- $resources := dict -}}
{{- range $kind, $amounts := .Values.sidecar.resources -}}
{{- $texts := dict -}}
{{- range $name, $amount := $amounts }}{{ $_ := set $texts $name (toString $amount) }}{{ end -}}
{{- $_ := set $resources $kind $texts -}}
{{- end -}}
name: navigator
image: {{ include "navigator.sidecarImage" . }}
imagePullPolicy: {{ .Values.images.pullPolicy }}
restartPolicy: Always
ports:
  - {name: navigator, containerPort: {{ $sidecar.port }}}
env:
{{- range $name, $field := $sidecar.environment }}
  - {name: {{ $name }}, valueFrom: {fieldRef: {fieldPath: {{ $field }}}}}
{{- end }}
startupProbe:
  periodSeconds: 1
  failureThreshold: 60
  httpGet: {scheme: HTTPS, path: /livez, port: {{ $sidecar.port }}}
readinessProbe:
  periodSeconds: 5
  failureThreshold: 2
  httpGet: {scheme: HTTPS, path: /readyz, port: {{ $sidecar.port }}}
resources: {{ $resources | toJson }}
securityContext:
  runAsUser: {{ $sidecar.user }}
  runAsGroup: {{ $sidecar.user }}
  runAsNonRoot: true
  privileged: false
  allowPrivilegeEscalation: true
  readOnlyRootFilesystem: true
  seccompProfile: {type: {{ .Values.sidecar.seccompProfile }}}
  capabilities:
    drop: [ALL]
    add: {{ $sidecar.capabilities | toJson }}
volumeMounts:
{{- range $name, $path := omit $sidecar.mounts "navigator-policy" }}
  - {name: {{ $name }}, mountPath: {{ $path }}, readOnly: true}
{{- end }}
{{- end }}

{{/* Its volumes, a list below `volumes`. */}}
{{- define "navigator.sidecarVolumes" -}}
volumes:
  - name: navigator-credentials
    projected:
      defaultMode: 292
      sources:
        - serviceAccountToken: {expirationSeconds: 3600, path: token}
        - configMap: {name: kube-root-ca.crt, items: [{key: ca.crt, path: ca.crt}]}
  - name: navigator-gateway
    secret: {secretName: {{ .Values.sidecar.tlsSecret }}, optional: true}
{{- end }}

{{/* The variables of every other container, a list below `variables`. */}}
{{- define "navigator.proxyVariables" -}}
variables:
{{- if .Values.pods.proxyVariables }}
{{- range list "HTTP_PROXY" "HTTPS_PROXY" "http_proxy" "https_proxy" "ALL_PROXY" "all_proxy" "grpc_proxy" }}
  - {name: {{ . }}, value: "http://127.0.0.1:3128"}
{{- end }}
{{- range list "NO_PROXY" "no_proxy" }}
  - {name: {{ . }}, value: {{ join "," (concat (list "127.0.0.1" "localhost" "::1" ".svc" ".cluster.local" "$(KUBERNETES_SERVICE_HOST)") $.Values.pods.noProxy) | quote }}}
{{- end }}
  - {name: NODE_USE_ENV_PROXY, value: "1"}
{{- else }} []
{{- end }}
{{- end }}
