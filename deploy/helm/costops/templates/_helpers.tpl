{{- define "costops.labels" -}}
{{- $most := ternary 45 48 .Values.backup.enabled }}
{{- if gt (len .Release.Name) $most }}
{{- fail (printf "the release has a name of more than %d letters: those of its Jobs would be too long for Kubernetes" $most) }}
{{- end }}
{{- if not (regexMatch "^[a-z]([-a-z0-9]*[a-z0-9])?$" .Release.Name) }}
{{- fail (printf "the release is called %s: its Service would have that name, which begins with a letter and holds letters, digits and - alone" .Release.Name) }}
{{- end }}
app.kubernetes.io/name: costops
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end }}

{{- /* What selects the pods of one component: (list . "web"). */ -}}
{{- define "costops.selector" -}}
app.kubernetes.io/name: costops
app.kubernetes.io/instance: {{ (index . 0).Release.Name }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end }}

{{- define "costops.image" -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end }}

{{- define "costops.claim" -}}
{{ .Values.home.existingClaim | default (printf "%s-home" .Release.Name) }}
{{- end }}

{{- /* Whether pods share the home folder. Spark reads and writes the copies that pods keep of a bucket: it must see them. */ -}}
{{- define "costops.shares" -}}
{{- $lake := .Values.settings.COSTOPS_LAKE | default "" }}
{{- $spark := hasPrefix "sc://" (.Values.settings.COSTOPS_ENGINE | default "") }}
{{- if and $lake $spark (not .Values.home.existingClaim) }}
{{- fail "COSTOPS_ENGINE names Apache Spark and COSTOPS_LAKE a bucket: then home.existingClaim must name a claim that all pods and Spark's executors mount at /data, for they share what is kept of the bucket there (docs/spark.md)" }}
{{- end }}
{{- if or (not $lake) $spark }}true{{ end }}
{{- end }}

{{- /* What every pod has: (dict "root" . "group" values-of-the-group), and `volumes` and `mounts` of its own. */ -}}
{{- define "costops.pod" -}}
serviceAccountName: {{ .root.Release.Name }}
automountServiceAccountToken: false
enableServiceLinks: false
securityContext:
  runAsNonRoot: true
  runAsUser: 10001
  runAsGroup: 10001
  fsGroup: 10001
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile: {type: RuntimeDefault}
{{- with .root.Values.imagePullSecrets }}
imagePullSecrets: {{ toYaml . | nindent 2 }}
{{- end }}
{{- with (.group.nodeSelector | default .root.Values.nodeSelector) }}
nodeSelector: {{ toYaml . | nindent 2 }}
{{- end }}
{{- with (.group.tolerations | default .root.Values.tolerations) }}
tolerations: {{ toYaml . | nindent 2 }}
{{- end }}
{{- with .root.Values.affinity }}
affinity: {{ toYaml . | nindent 2 }}
{{- end }}
volumes:
  - name: home
    {{- if include "costops.shares" .root }}
    persistentVolumeClaim: {claimName: {{ include "costops.claim" .root }}}
    {{- else }}
    emptyDir: {sizeLimit: {{ .root.Values.home.size }}}
    {{- end }}
  - name: tmp
    emptyDir: {}
  {{- with .root.Values.sso.existingSecret }}
  - name: sso
    secret: {secretName: {{ . }}, defaultMode: 0440}
  {{- end }}
  {{- with concat .root.Values.extraVolumes (.volumes | default list) }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end }}

{{- /* What waits in a pod until the database is as this version needs it: the same argument. Web tells so by its readiness. */ -}}
{{- define "costops.schema" -}}
initContainers:
  - name: schema
    command: ["sh", "-c", "until python manage.py migrate --check --verbosity 0; do sleep 3; done"]
    {{- include "costops.container" . | nindent 4 }}
{{- end }}

{{- /* What every container has: the same argument. */ -}}
{{- define "costops.container" -}}
image: {{ include "costops.image" .root }}
imagePullPolicy: {{ .root.Values.image.pullPolicy }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: {drop: [ALL]}
envFrom:
  - configMapRef: {name: {{ .root.Release.Name }}}
  - secretRef: {name: {{ .root.Values.existingSecret }}}
resources: {{ toYaml .group.resources | nindent 2 }}
volumeMounts:
  - {name: home, mountPath: /data}
  - {name: tmp, mountPath: /tmp}
  {{- if .root.Values.sso.existingSecret }}
  - {name: sso, mountPath: /etc/costops/sso, readOnly: true}
  {{- end }}
  {{- with concat .root.Values.extraVolumeMounts (.mounts | default list) }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end }}

{{- /* What engines and readers of a pod may take, so that all of them fit into it: the same argument. */ -}}
{{- define "costops.engine" -}}
{{- $own := list }}
{{- range $setting, $value := dict "COSTOPS_MEMORY_LIMIT" "engineMemory" "COSTOPS_THREADS" "threads" "COSTOPS_READ_MEMORY_GIB" "readerGib" }}
{{- if and (hasKey $.group $value) (not (hasKey $.root.Values.settings $setting)) }}
{{- $own = append $own (dict "name" $setting "value" (get $.group $value | toString)) }}
{{- end }}
{{- end }}
{{- with $own }}
env: {{ toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- /* What the series of this release are known by in Prometheus. */ -}}
{{- define "costops.series" -}}
{{ .Values.monitoring.rules.selector | default (printf "namespace=%q,job=%q" .Release.Namespace .Release.Name) }}
{{- end }}

{{- /* The rules of the file, about this release alone and with its own thresholds. */ -}}
{{- define "costops.rules" -}}
{{- $rules := .Files.Get "files/rules.yaml" | fromYaml }}
{{- $own := deepCopy .Values.monitoring.rules.alerts }}
{{- range $group := $rules.groups }}
{{- $kept := list }}
{{- range $rule := $group.rules }}
{{- $_ := set $rule "expr" ($rule.expr | replace "job=~\".*\"" (include "costops.series" $)) }}
{{- if $rule.record }}
{{- $_ := set $rule "labels" (dict "release" $.Release.Name) }}
{{- end }}
{{- $other := get $own ($rule.alert | default "") | default dict }}
{{- $_ := unset $own ($rule.alert | default "") }}
{{- if hasKey $other "threshold" }}
{{- $end := " ([<>]) [0-9.]+( \\* [0-9]+)*$" }}
{{- if not (regexMatch $end $rule.expr) }}
{{- fail (printf "monitoring.rules.alerts.%s: it compares with no number; leave threshold out" $rule.alert) }}
{{- end }}
{{- $_ := set $rule "expr" (regexReplaceAll $end $rule.expr (printf " ${1} %s" (toJson $other.threshold | trimAll "\""))) }}
{{- end }}
{{- with $other.for }}{{ $_ := set $rule "for" . }}{{ end }}
{{- with $other.severity }}{{ $_ := set $rule.labels "severity" . }}{{ end }}
{{- if ne $other.enabled false }}
{{- $kept = append $kept $rule }}
{{- end }}
{{- end }}
{{- $_ := set $group "rules" $kept }}
{{- end }}
{{- with keys $own }}
{{- fail (printf "monitoring.rules.alerts: there is no alert %s" (join ", " .)) }}
{{- end }}
{{ toYaml $rules }}
{{- end }}

{{- /* The port of an address: (list "sc://spark:15002" the-one-where-none-is-told). */ -}}
{{- define "costops.port" -}}
{{ get (urlParse (index . 0)) "host" | regexFind ":[0-9]+$" | trimPrefix ":" | default (index . 1) }}
{{- end }}

{{- /* The address people use: of the settings, or what the ingress says. */ -}}
{{- define "costops.site" -}}
{{- $own := .Values.settings.COSTOPS_SITE_URL }}
{{- if and (not $own) (hasPrefix "*" .Values.ingress.host) }}
{{- fail "ingress.host stands for many hosts: settings.COSTOPS_SITE_URL must say which address links begin with" }}
{{- end }}
{{- $https := or .Values.ingress.tlsSecret (regexMatch "(?i)^(true|on|ok|y|yes|1)$" (toString .Values.settings.COSTOPS_HTTPS)) }}
{{- $own | default (printf "%s://%s" (ternary "https" "http" (not (empty $https))) .Values.ingress.host) }}
{{- end }}

{{- /* The names the site answers to: those of the settings, of the ingress, and those of a port that is forwarded. */ -}}
{{- define "costops.hosts" -}}
{{- $given := .Values.settings.COSTOPS_ALLOWED_HOSTS | default "" | nospace | splitList "," }}
{{- concat $given (list (trimPrefix "*" .Values.ingress.host) "localhost" "127.0.0.1") | compact | uniq | join "," }}
{{- end }}

{{- /* What every pod reads at its start. A number of a values file is a float: JSON writes it without an exponent. */ -}}
{{- define "costops.settings" -}}
COSTOPS_HOME: /data
{{- if .Values.sso.existingSecret }}
COSTOPS_SSO_FILE: {{ printf "/etc/costops/sso/%s" .Values.sso.file | quote }}
{{- end }}
{{- $follow := dict "COSTOPS_SITE_URL" (include "costops.site" .) "COSTOPS_ALLOWED_HOSTS" (include "costops.hosts" .) }}
{{- range ternary (list "COSTOPS_HTTPS" "COSTOPS_BEHIND_PROXY") list (and .Values.ingress.enabled (ne .Values.ingress.tlsSecret "")) }}
{{- if not (hasKey $.Values.settings .) }}{{ $_ := set $follow . "true" }}{{ end }}
{{- end }}
{{- range $name, $value := merge $follow .Values.settings }}
{{ $name }}: {{ kindIs "string" $value | ternary $value (toJson $value) | quote }}
{{- end }}
{{- end }}

{{- define "costops.annotations" -}}
checksum/settings: {{ include "costops.settings" . | sha256sum }}
{{- with .Values.podAnnotations }}
{{ toYaml . }}
{{- end }}
{{- end }}
