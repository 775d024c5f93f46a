{{- define "agent.labels" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end -}}

{{- /* The registry of the agent's image and of the injected image. */ -}}
{{- define "agent.imageRegistry" -}}
{{- with .Values.imageCredentials }}{{ .registry }}{{ with .registrySuffix }}/{{ . }}{{ end }}{{ end -}}
{{- end -}}

{{- define "agent.externalToken" -}}
{{- if and .Values.externalTokenSecret.name .Values.externalTokenSecret.key }}true{{ end -}}
{{- end -}}

{{- define "agent.ownCertificates" -}}
{{- if .Values.tlsPrivateCertificatesAsString.certB64 }}true{{ end -}}
{{- end -}}
