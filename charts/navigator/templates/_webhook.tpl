{{/* What the webhook adds to a pod: docs/formats/webhook.md. */}}
{{- define "navigator.webhookSettings" -}}
{{- dict "sidecar" (include "navigator.sidecarContainer" . | fromYaml)
         "volumes" (include "navigator.sidecarVolumes" . | fromYaml).volumes
         "proxyVariables" (include "navigator.proxyVariables" . | fromYaml).variables
         "userNamespaces" (ne .Values.pods.userNamespaces "never")
         "defaultContainer" .Values.pods.defaultContainer | toPrettyJson }}
{{- end }}

{{/*
(dict "root" $ "host" NAME) -> data and renewAfter (seconds since 1970) of the Secret: what is there, or a new one. The authority before is
trusted on, because running webhooks see a new Secret a minute later than the API server.
*/}}
{{- define "navigator.webhookCertificate" -}}
{{- $found := lookup "v1" "Secret" .root.Release.Namespace .root.Values.webhook.certificates.secretName }}
{{- $annotations := dig "metadata" "annotations" (dict) ($found | default dict) | default dict }}
{{- $renewAfter := get $annotations "navigator.sandbox/renew-after" }}
{{- $now := now | unixEpoch | int64 }}
{{- if and $renewAfter (gt (int64 $renewAfter) $now) }}
{{- dict "data" $found.data "renewAfter" $renewAfter | toYaml }}
{{- else }}
{{- $authority := genCA "navigator-webhook-authority" 3650 }}
{{- $certificate := genSignedCert .host nil (list .host) 3650 $authority }}
{{- $before := dig "data" "ca.crt" "" ($found | default dict) | b64dec }}
{{- $data := dict "ca.crt" (printf "%s%s" $authority.Cert $before | b64enc) "tls.crt" ($certificate.Cert | b64enc) "tls.key" ($certificate.Key | b64enc) }}
{{- dict "data" $data "renewAfter" (add $now 157680000 | toString) | toYaml }}
{{- end }}
{{- end }}
