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

{{- /* "true" where Kong reads dblessConfig; the chart leaves it out with a controller or a database. */ -}}
{{- define "kong.readsFile" -}}
{{- $sources := list -}}
{{- range $key := list "configMap" "secret" "config" }}{{ with index $.Values.dblessConfig $key }}{{ $sources = append $sources . }}{{ end }}{{ end -}}
{{- if and (not .Values.ingressController.enabled) (eq .Values.env.database "off") -}}
{{- if gt (len $sources) 1 }}{{ fail "Ambiguous configuration: only one of of .Values.dblessConfig.configMap, .Values.dblessConfig.secret, and .Values.dblessConfig.config can be set." }}{{ end -}}
{{- if $sources }}true{{ end -}}
{{- end -}}
{{- end -}}

{{- define "kong.enterpriseEnv" -}}
KONG_ADMIN_GUI_LISTEN: {{ include "kong.listen" .Values.manager | quote }}
KONG_CLUSTER_TELEMETRY_LISTEN: "off"
KONG_SMTP_MOCK: "on"
{{- range $name := list "PORTAL_API" "PORTAL_GUI" "ADMIN_GUI" }}
KONG_{{ $name }}_ACCESS_LOG: /dev/stdout
KONG_{{ $name }}_ERROR_LOG: /dev/stderr
{{- end }}
{{- if not .Values.enterprise.vitals.enabled }}
KONG_VITALS: "off"
{{- end }}
{{- with .Values.enterprise.license_secret }}
KONG_LICENSE_DATA: {valueFrom: {secretKeyRef: {name: {{ . }}, key: license}}}
{{- end }}
{{- with .Values.enterprise.rbac }}
{{- if .enabled }}
KONG_ENFORCE_RBAC: "on"
KONG_ADMIN_GUI_AUTH: {{ .admin_gui_auth }}
KONG_ADMIN_GUI_SESSION_CONF: {valueFrom: {secretKeyRef: {name: {{ .session_conf_secret }}, key: admin_gui_session_conf}}}
{{- end }}
{{- end }}
{{- end -}}

{{- define "kong.env" -}}
{{- $env := dict -}}
{{- $admin := .Values.admin -}}
{{- if not $admin.enabled }}{{ $admin = merge (dict "addresses" ($admin.addresses | default (list "127.0.0.1" "[::1]"))) $admin }}{{ end -}}
{{- $_ := set $env "KONG_ADMIN_LISTEN" (include "kong.listen" $admin) -}}
{{- $_ := set $env "KONG_CLUSTER_LISTEN" (include "kong.listen" .Values.cluster) -}}
{{- $_ := set $env "KONG_PROXY_LISTEN" (include "kong.listen" .Values.proxy) -}}
{{- $_ := set $env "KONG_STATUS_LISTEN" (include "kong.listen" .Values.status) -}}
{{- $_ := set $env "KONG_STREAM_LISTEN" "off" -}}
{{- $_ := set $env "KONG_LUA_PACKAGE_PATH" "/opt/?.lua;/opt/?/init.lua;;" -}}
{{- range $name, $log := dict "PROXY" "/dev/stdout" "PROXY_STREAM" "/dev/stdout basic" "ADMIN" "/dev/stdout" "STATUS" "off" }}
{{- $_ := set $env (printf "KONG_%s_ACCESS_LOG" $name) $log }}
{{- $_ := set $env (printf "KONG_%s_ERROR_LOG" $name) "/dev/stderr" }}
{{- end -}}
{{- if .Values.proxy.enabled -}}
{{- $maps := list -}}
{{- range $port := list .Values.proxy.http .Values.proxy.tls }}{{ if $port.enabled }}{{ $maps = append $maps (printf "%v:%v" $port.servicePort $port.containerPort) }}{{ end }}{{ end -}}
{{- $_ := set $env "KONG_PORT_MAPS" ($maps | join ", ") -}}
{{- end -}}
{{- if .Values.ingressController.enabled }}{{ $_ := set $env "KONG_KIC" "on" }}{{ end -}}
{{- if .Values.enterprise.enabled }}{{ $env = merge $env (include "kong.enterpriseEnv" . | fromYaml) }}{{ end -}}
{{- if eq .Values.env.database "postgres" }}{{ $_ := set $env "KONG_PG_PORT" "5432" }}{{ end -}}
{{- if include "kong.readsFile" . }}{{ $_ := set $env "KONG_DECLARATIVE_CONFIG" "/kong_dbless/kong.yml" }}{{ end -}}
{{- if .Values.plugins }}{{ $_ := set $env "KONG_PLUGINS" (include "kong.pluginList" .) }}{{ end -}}
{{- /* As in the real chart, the user's variables come last and silently replace the composed ones. */ -}}
{{- range $key, $value := .Values.env }}{{ $_ := set $env (printf "KONG_%s" (upper $key)) $value }}{{ end -}}
{{- range $key, $value := .Values.customEnv }}{{ $_ := set $env (upper $key) $value }}{{ end -}}
{{- include "kong.variables" $env -}}
{{- end -}}

{{- define "kong.variables" -}}
{{- range $name, $value := . }}
- name: {{ $name }}
{{- if kindIs "map" $value }}
{{ toYaml $value | indent 2 }}
{{- else }}
  value: {{ $value | quote }}
{{- end }}
{{- end }}
{{- end -}}

{{- define "kong.noDaemonEnv" -}}
{{ include "kong.env" . }}
- name: KONG_NGINX_DAEMON
  value: "off"
{{- end -}}

{{- define "kong.envFrom" -}}
{{- with . }}
envFrom:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}
