{{- define "kong.mounts" -}}
- name: {{ include "kong.fullname" . }}-prefix-dir
  mountPath: /kong_prefix/
- name: {{ include "kong.fullname" . }}-tmp
  mountPath: /tmp
{{- if include "kong.readsFile" . }}
- name: kong-custom-dbless-config-volume
  mountPath: /kong_dbless/
{{- end }}
{{- range .Values.secretVolumes }}
- name: {{ . }}
  mountPath: /etc/secrets/{{ . }}
{{- end }}
{{- range (include "kong.mounted" . | fromJsonArray) }}
{{- $path := printf "/opt/kong/plugins/%s" .plugin.pluginName }}
- name: kong-plugin-{{ .plugin.pluginName }}
  mountPath: {{ $path }}
  readOnly: true
{{- range .plugin.subdirectories }}
- name: {{ .name }}
  mountPath: {{ $path }}/{{ .path | default .name }}
  readOnly: true
{{- end }}
{{- end }}
{{- range concat (.Values.extraConfigMaps | default list) (.Values.extraSecrets | default list) }}
- name: {{ .name }}
  mountPath: {{ .mountPath }}
  {{- with .subPath }}
  subPath: {{ . }}
  {{- end }}
{{- end }}
{{- end -}}

{{- /* The mounts of containers that run Kong, unlike that of clear-stale-pid. */ -}}
{{- define "kong.allMounts" -}}
{{ include "kong.mounts" . }}
{{- with .Values.deployment.userDefinedVolumeMounts }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- /* As in the real chart, nothing keeps two volumes from having one name. */ -}}
{{- define "kong.volumes" -}}
- name: {{ include "kong.fullname" . }}-prefix-dir
  emptyDir: {sizeLimit: {{ .Values.deployment.prefixDir.sizeLimit }}}
- name: {{ include "kong.fullname" . }}-tmp
  emptyDir: {sizeLimit: {{ .Values.deployment.tmpDir.sizeLimit }}}
{{- if include "kong.mountsToken" . }}
- name: {{ include "kong.account" . }}-token
  projected:
    sources:
      - serviceAccountToken: {expirationSeconds: 3607, path: token}
      - configMap: {name: kube-root-ca.crt, items: [{key: ca.crt, path: ca.crt}]}
      - downwardAPI: {items: [{path: namespace, fieldRef: {apiVersion: v1, fieldPath: metadata.namespace}}]}
{{- end }}
{{- range (include "kong.mounted" . | fromJsonArray) }}
{{- $kind := .kind }}
{{- $key := .key }}
- name: kong-plugin-{{ .plugin.pluginName }}
  {{ $kind }}: { {{ $key }}: {{ .plugin.name }} }
{{- range .plugin.subdirectories }}
- name: {{ .name }}
  {{ $kind }}: { {{ $key }}: {{ .name }} }
{{- end }}
{{- end }}
{{- if include "kong.readsFile" . }}
- name: kong-custom-dbless-config-volume
  {{- if .Values.dblessConfig.secret }}
  secret: {secretName: {{ .Values.dblessConfig.secret }}}
  {{- else }}
  configMap: {name: {{ default (printf "%s-kong-custom-dbless-config" .Release.Name) .Values.dblessConfig.configMap }}}
  {{- end }}
{{- end }}
{{- if and .Values.ingressController.enabled .Values.ingressController.admissionWebhook.enabled }}
{{- $certificate := .Values.ingressController.admissionWebhook.certificate }}
- name: webhook-cert
  secret:
    secretName: {{ ternary $certificate.secretName (printf "%s-validation-webhook-keypair" (include "kong.fullname" .)) $certificate.provided }}
{{- end }}
{{- range .Values.secretVolumes }}
- name: {{ . }}
  secret: {secretName: {{ . }}}
{{- end }}
{{- range .Values.extraConfigMaps }}
- name: {{ .name }}
  configMap: {name: {{ .name }}}
{{- end }}
{{- range .Values.extraSecrets }}
- name: {{ .name }}
  secret: {secretName: {{ .name }}}
{{- end }}
{{- with .Values.deployment.userDefinedVolumes }}
{{ toYaml . }}
{{- end }}
{{- end -}}
