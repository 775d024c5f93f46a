{{- define "kong.fullname" -}}
{{- default (printf "%s-%s" .Release.Name (default .Chart.Name .Values.nameOverride) | trunc 63 | trimSuffix "-") .Values.fullnameOverride -}}
{{- end -}}

{{- define "kong.namespace" -}}
{{- default .Release.Namespace .Values.namespace -}}
{{- end -}}

{{- define "kong.selector" -}}
app.kubernetes.io/name: {{ default .Chart.Name .Values.nameOverride }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
{{- end -}}

{{- /* As in the real chart, a tag that is no version fails here. */ -}}
{{- define "kong.version" -}}
{{- $version := default .Values.image.tag .Values.image.effectiveSemver | toString -}}
{{- $version = semver (default (trimSuffix "-redhat" $version) (regexFind "^[0-9]+.[0-9]+.[0-9]+" $version)) -}}
{{- printf "%d.%d" $version.Major $version.Minor -}}
{{- end -}}

{{- define "kong.labels" -}}
{{ include "kong.selector" . }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
app.kubernetes.io/managed-by: {{ .Release.Service | quote }}
app.kubernetes.io/version: {{ include "kong.version" . | quote }}
{{- with .Values.extraLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "kong.image" -}}
{{- default (printf "%s:%s" .repository (toString .tag)) .unifiedRepoTag -}}
{{- end -}}

{{- /* "true" where the pods have a ServiceAccount; otherwise the controller has no token. */ -}}
{{- define "kong.hasAccount" -}}
{{- with .Values.deployment.serviceAccount }}{{ if or .create .name }}true{{ end }}{{ end -}}
{{- end -}}

{{- define "kong.account" -}}
{{- with .Values.deployment.serviceAccount }}{{ default (ternary (include "kong.fullname" $) "default" .create) .name }}{{ end -}}
{{- end -}}

{{- /* "true" where the chart mounts the token, because the kubelet does not. */ -}}
{{- define "kong.mountsToken" -}}
{{- if and (include "kong.hasAccount" .) (not .Values.deployment.serviceAccount.automountServiceAccountToken) }}true{{ end -}}
{{- end -}}

{{- /* What pods of the Deployment and of the Jobs have in common. */ -}}
{{- define "kong.podSpec" -}}
{{- if include "kong.hasAccount" . }}
serviceAccountName: {{ include "kong.account" . }}
{{- end }}
automountServiceAccountToken: {{ and (include "kong.hasAccount" . | not | not) .Values.deployment.serviceAccount.automountServiceAccountToken }}
{{- with .Values.image.pullSecrets | default .Values.ingressController.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
securityContext:
  {{- toYaml .Values.securityContext | nindent 2 }}
{{- range $key := list "nodeSelector" "tolerations" "affinity" }}
{{- with index $.Values $key }}
{{ $key }}:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}
{{- end -}}

{{- define "kong.securityContext" -}}
{{- if .Values.containerSecurityContext.enabled }}
securityContext:
  {{- toYaml (omit .Values.containerSecurityContext "enabled") | nindent 2 }}
{{- end }}
{{- end -}}

{{- /* Listeners are composed of addresses and ports, `off` without any. */ -}}
{{- define "kong.listen" -}}
{{- $listen := list -}}
{{- $addresses := .addresses | default (list "0.0.0.0" "[::]") -}}
{{- range $kind := list "http" "tls" -}}
{{- $port := index $ $kind | default dict -}}
{{- if $port.enabled -}}
{{- $flags := concat ($port.parameters | default list) (ternary (list "ssl") list (eq $kind "tls")) | uniq -}}
{{- range $addresses }}{{ $listen = append $listen (prepend $flags (printf "%s:%v" . $port.containerPort) | join " ") }}{{ end -}}
{{- end -}}
{{- end -}}
{{- $listen | join ", " | default "off" -}}
{{- end -}}
