{{- define "kong.fullname" -}}
{{- default (printf "%s-%s" .Release.Name (default .Chart.Name .Values.nameOverride) | trunc 63 | trimSuffix "-") .Values.fullnameOverride -}}
{{- end -}}

{{- define "kong.selector" -}}
app.kubernetes.io/name: {{ default .Chart.Name .Values.nameOverride }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
{{- end -}}

{{- define "kong.labels" -}}
{{ include "kong.selector" . }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
app.kubernetes.io/managed-by: {{ .Release.Service | quote }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
{{- with .Values.extraLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "kong.mounted" -}}
{{- $all := list -}}
{{- range .Values.plugins.configMaps }}{{ $all = append $all (dict "kind" "configMap" "key" "name" "plugin" .) }}{{ end -}}
{{- range .Values.plugins.secrets }}{{ $all = append $all (dict "kind" "secret" "key" "secretName" "plugin" .) }}{{ end -}}
{{- toJson $all -}}
{{- end -}}

{{- define "kong.pluginList" -}}
{{- $names := list "bundled" -}}
{{- range (include "kong.mounted" . | fromJsonArray) }}{{ $names = append $names .plugin.pluginName }}{{ end -}}
{{- with .Values.plugins.preInstalled }}{{ range splitList "," . }}{{ $names = append $names . }}{{ end }}{{ end -}}
{{- $names | uniq | join "," -}}
{{- end -}}

{{- /* As in the real chart, listeners are composed of addresses and ports. */ -}}
{{- define "kong.adminListen" -}}
{{- $listen := list -}}
{{- $admin := .Values.admin -}}
{{- $addresses := ternary (list "0.0.0.0" "[::]") (list "127.0.0.1" "[::1]") $admin.enabled -}}
{{- if $admin.http.enabled }}{{ range $addresses }}{{ $listen = append $listen (printf "%s:%v" . $admin.http.containerPort) }}{{ end }}{{ end -}}
{{- if $admin.tls.enabled }}{{ range $addresses }}{{ $listen = append $listen (printf "%s:%v %s ssl" . $admin.tls.containerPort (join " " $admin.tls.parameters)) }}{{ end }}{{ end -}}
{{- $listen | join ", " | default "off" -}}
{{- end -}}

{{- define "kong.env" -}}
{{- $env := dict -}}
{{- $_ := set $env "KONG_ADMIN_LISTEN" (include "kong.adminListen" .) -}}
{{- $_ := set $env "KONG_CLUSTER_LISTEN" "off" -}}
{{- $_ := set $env "KONG_LUA_PACKAGE_PATH" "/opt/?.lua;/opt/?/init.lua;;" -}}
{{- $_ := set $env "KONG_PORT_MAPS" (printf "%v:%v, %v:%v" .Values.proxy.http.servicePort .Values.proxy.http.containerPort .Values.proxy.tls.servicePort .Values.proxy.tls.containerPort) -}}
{{- $_ := set $env "KONG_PROXY_LISTEN" (printf "0.0.0.0:%v, [::]:%v, 0.0.0.0:%v http2 ssl, [::]:%v http2 ssl" .Values.proxy.http.containerPort .Values.proxy.http.containerPort .Values.proxy.tls.containerPort .Values.proxy.tls.containerPort) -}}
{{- $_ := set $env "KONG_STATUS_LISTEN" (printf "0.0.0.0:%v, [::]:%v" .Values.status.http.containerPort .Values.status.http.containerPort) -}}
{{- $_ := set $env "KONG_STREAM_LISTEN" "off" -}}
{{- if .Values.ingressController.enabled }}{{ $_ := set $env "KONG_KIC" "on" }}
{{- else if eq .Values.env.database "off" }}{{ fail "the stand-in does not support dblessConfig, which the chart uses without a controller and without a database" }}{{ end -}}
{{- if eq .Values.env.database "postgres" }}{{ $_ := set $env "KONG_PG_PORT" "5432" }}{{ end -}}
{{- if .Values.plugins }}{{ $_ := set $env "KONG_PLUGINS" (include "kong.pluginList" .) }}{{ end -}}
{{- /* As in the real chart, the user's variables come last and silently replace the composed ones. */ -}}
{{- range $key, $value := .Values.env }}{{ $_ := set $env (printf "KONG_%s" (upper $key)) $value }}{{ end -}}
{{- range $key, $value := .Values.customEnv }}{{ $_ := set $env (upper $key) $value }}{{ end -}}
{{- range $name := keys $env | sortAlpha }}
{{- $value := get $env $name }}
- name: {{ $name }}
{{- if kindIs "map" $value }}
{{ toYaml $value | indent 2 }}
{{- else }}
  value: {{ $value | quote }}
{{- end }}
{{- end }}
{{- end -}}

{{- define "kong.mounts" -}}
- name: {{ include "kong.fullname" . }}-prefix-dir
  mountPath: /kong_prefix/
- name: {{ include "kong.fullname" . }}-tmp
  mountPath: /tmp
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
{{- end -}}

{{- define "kong.noDaemonEnv" -}}
{{ include "kong.env" . }}
- name: KONG_NGINX_DAEMON
  value: "off"
{{- end -}}

{{- define "kong.envFrom" -}}
{{- with .Values.envFrom }}
envFrom:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{- define "kong.volumes" -}}
- name: {{ include "kong.fullname" . }}-prefix-dir
  emptyDir: {sizeLimit: 256Mi}
- name: {{ include "kong.fullname" . }}-tmp
  emptyDir: {sizeLimit: 1Gi}
- name: {{ include "kong.fullname" . }}-token
  projected:
    sources:
      - serviceAccountToken: {expirationSeconds: 3607, path: token}
      - configMap: {name: kube-root-ca.crt, items: [{key: ca.crt, path: ca.crt}]}
      - downwardAPI: {items: [{path: namespace, fieldRef: {apiVersion: v1, fieldPath: metadata.namespace}}]}
{{- range .Values.secretVolumes }}
- name: {{ . }}
  secret: {secretName: {{ . }}}
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
{{- if and .Values.ingressController.enabled .Values.ingressController.admissionWebhook.enabled }}
{{- $certificate := .Values.ingressController.admissionWebhook.certificate }}
- name: webhook-cert
  secret:
    secretName: {{ ternary $certificate.secretName (printf "%s-validation-webhook-keypair" (include "kong.fullname" .)) $certificate.provided }}
{{- end }}
{{- end -}}
