{{- define "kong.adminUrl" -}}
{{- if .Values.admin.tls.enabled }}https://localhost:{{ .Values.admin.tls.containerPort -}}
{{- else if .Values.admin.http.enabled }}http://localhost:{{ .Values.admin.http.containerPort -}}
{{- else }}http://localhost:9999 # You have no admin listens! The controller will not work unless you set .Values.admin.http.enabled=true or .Values.admin.tls.enabled=true!
{{- end -}}
{{- end -}}

{{- define "kong.adminService" -}}
{{- $discovery := .Values.ingressController.gatewayDiscovery -}}
{{- $name := $discovery.adminApiService.name -}}
{{- if $discovery.generateAdminApiService }}{{ $name = printf "%s-gateway-admin" .Release.Name }}{{ end -}}
{{- $_ := required ".ingressController.gatewayDiscovery.adminApiService.name has to be provided when .Values.ingressController.gatewayDiscovery.enabled is set to true" $name -}}
{{- if .Values.deployment.kong.enabled }}
{{- fail "deployment.kong.enabled and ingressController.gatewayDiscovery.enabled are mutually exclusive and cannot be enabled at once. Gateway discovery requires a split release installation of Gateways and Ingress Controller." }}
{{- end -}}
{{- default (include "kong.namespace" .) $discovery.adminApiService.namespace }}/{{ $name }}
{{- end -}}

{{- define "kong.controllerEnv" -}}
{{- $controller := .Values.ingressController -}}
{{- $env := dict "CONTROLLER_KONG_ADMIN_TLS_SKIP_VERIFY" true -}}
{{- $_ := set $env "CONTROLLER_PUBLISH_SERVICE" (printf "%s/%s-proxy" (include "kong.namespace" .) (include "kong.fullname" .)) -}}
{{- $_ := set $env "CONTROLLER_INGRESS_CLASS" $controller.ingressClass -}}
{{- $_ := set $env "CONTROLLER_ELECTION_ID" (printf "kong-ingress-controller-leader-%s" $controller.ingressClass) -}}
{{- with $controller.admissionWebhook }}{{ if .enabled }}
{{- $_ := set $env "CONTROLLER_ADMISSION_WEBHOOK_LISTEN" (printf "%s:%v" (default "0.0.0.0" .address) .port) }}
{{- end }}{{ end -}}
{{- with $controller.watchNamespaces }}{{ $_ := set $env "CONTROLLER_WATCH_NAMESPACE" (join "," .) }}{{ end -}}
{{- if $controller.gatewayDiscovery.enabled -}}
{{- $_ := set $env "CONTROLLER_KONG_ADMIN_SVC" (include "kong.adminService" .) -}}
{{- else -}}
{{- if $controller.konnect.enabled }}{{ fail "ingressController.gatewayDiscovery.enabled has to be true when ingressController.konnect.enabled" }}{{ end -}}
{{- $_ := set $env "CONTROLLER_KONG_ADMIN_URL" (include "kong.adminUrl" .) -}}
{{- end -}}
{{- range $key, $value := $controller.env }}{{ $_ := set $env (printf "CONTROLLER_%s" (upper $key)) $value }}{{ end -}}
{{- range $key, $value := $controller.customEnv }}{{ $_ := set $env (upper $key) $value }}{{ end -}}
{{- include "kong.variables" $env -}}
{{- end -}}

{{- define "kong.controller" -}}
{{- $controller := .Values.ingressController -}}
- name: ingress-controller
  image: {{ include "kong.image" $controller.image }}
  imagePullPolicy: {{ .Values.image.pullPolicy }}
  {{- include "kong.securityContext" . | nindent 2 }}
  {{- with $controller.args }}
  args:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  ports:
    {{- if $controller.admissionWebhook.enabled }}
    - {name: webhook, containerPort: {{ $controller.admissionWebhook.port }}, protocol: TCP}
    {{- end }}
    - {name: cmetrics, containerPort: 10255, protocol: TCP}
    - {name: cstatus, containerPort: 10254, protocol: TCP}
  env:
    - name: POD_NAME
      valueFrom: {fieldRef: {apiVersion: v1, fieldPath: metadata.name}}
    - name: POD_NAMESPACE
      valueFrom: {fieldRef: {apiVersion: v1, fieldPath: metadata.namespace}}
    {{- include "kong.controllerEnv" . | nindent 4 }}
  {{- include "kong.envFrom" $controller.envFrom | nindent 2 }}
  readinessProbe:
    {{- toYaml $controller.readinessProbe | nindent 4 }}
  livenessProbe:
    {{- toYaml $controller.livenessProbe | nindent 4 }}
  resources:
    {{- toYaml $controller.resources | nindent 4 }}
  volumeMounts:
    {{- if $controller.admissionWebhook.enabled }}
    - {name: webhook-cert, mountPath: /admission-webhook, readOnly: true}
    {{- end }}
    {{- if include "kong.mountsToken" . }}
    - name: {{ include "kong.account" . }}-token
      mountPath: /var/run/secrets/kubernetes.io/serviceaccount
      readOnly: true
    {{- end }}
{{- end -}}
