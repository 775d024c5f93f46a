#!/bin/sh
# The steps of Traceable's and Kong's guides, as a careful person types them: each step waits for what it changes.
#
#   manual_steps.sh STEP...    for example: manual_steps.sh agent files kong inject plugin check
#
# docs/manual-steps.md names the guides and says what the stack does in place of each step. The variables below are the
# choices of that person; a test and `make bench` set some of them.
set -eu

: "${AGENT_CHART:=traceable-agent}" "${AGENT_NAMESPACE:=traceable}" "${AGENT_TOKEN:=}"
: "${KONG_CHART:=kong}" "${KONG_NAMESPACE:=kong}" "${KONG_RELEASE:=kong}" "${INGRESS_CLASS:=kong}"
# Kong's values, with the ConfigMap $FILES in plugins.configMaps. The guides have this file edited.
: "${KONG_VALUES:=kong-values.yaml}"
: "${ROCK_URL:=https://luarocks.org/manifests/traceableai/kong-plugin-traceable-2.1.2-1.src.rock}"
: "${FILES:=kong-plugin-traceable}" "${OLD_FILES:=}"
: "${PLUGIN:=traceable}" "${MODE:=sync}" "${ASYNC_ENDPOINT:=http://agent.$AGENT_NAMESPACE:5442}"
: "${TIMEOUT:=60s}" "${CHECK_SECONDS:=60}"

DEPLOYMENT=$KONG_RELEASE-kong

# Installs the agent, and waits until it is ready.
agent() {
  helm upgrade --install traceable-agent "$AGENT_CHART" --namespace "$AGENT_NAMESPACE" --create-namespace \
    --set "token=$AGENT_TOKEN" --wait --timeout "$TIMEOUT"
}

# Downloads and unpacks the plugin's LuaRocks package, and creates the ConfigMap with its files.
files() {
  unpacked=$(mktemp -d)
  curl -fsSL "$ROCK_URL" -o "$unpacked/plugin.rock"
  unzip -q "$unpacked/plugin.rock" -d "$unpacked"
  tar -xzf "$unpacked"/*.tar.gz -C "$unpacked"
  kubectl get namespace "$KONG_NAMESPACE" >/dev/null 2>&1 || kubectl create namespace "$KONG_NAMESPACE"
  kubectl create configmap "$FILES" --namespace "$KONG_NAMESPACE" \
    --from-file="$(echo "$unpacked"/*/kong/plugins/traceable)"
  rm -r "$unpacked"
}

# Installs or upgrades Kong, and waits until its pods have the files.
kong() {
  helm upgrade --install "$KONG_RELEASE" "$KONG_CHART" --namespace "$KONG_NAMESPACE" --values "$KONG_VALUES" \
    --wait --timeout "$TIMEOUT"
  rollout
}

# Adds the TME to the gateway's pods: the label of the namespace, then the annotation, which replaces the pods.
inject() {
  kubectl label namespace "$KONG_NAMESPACE" traceableai-inject-tme=enabled
  annotate '"true"'
}

# Removes the TME from the gateway's pods.
eject() {
  annotate null
  kubectl label namespace "$KONG_NAMESPACE" traceableai-inject-tme-
}

annotate() {
  kubectl patch deployment "$DEPLOYMENT" --namespace "$KONG_NAMESPACE" --type merge \
    --patch "{\"spec\": {\"template\": {\"metadata\": {\"annotations\": {\"tme.traceable.ai/inject\": $1}}}}}"
  rollout
}

rollout() {
  kubectl rollout status "deployment/$DEPLOYMENT" --namespace "$KONG_NAMESPACE" --timeout "$TIMEOUT"
}

# Creates or changes the plugin: in sync it calls the TME in its own pod, in async the agent.
plugin() {
  if [ "$MODE" = sync ]; then endpoint=http://localhost:5442; else endpoint=$ASYNC_ENDPOINT; fi
  kubectl apply --filename - <<YAML
apiVersion: configuration.konghq.com/v1
kind: KongClusterPlugin
metadata:
  name: $PLUGIN
  annotations: {kubernetes.io/ingress.class: $INGRESS_CLASS}
  labels: {global: "true"}
plugin: traceable
config:
  ext_cap_endpoint: $endpoint
  mode: $MODE
  buffer_request_body: true
  allow_on_failure: true
  timeout: 500
  service_name: kong
YAML
}

# Asks the Admin API of one gateway pod until it lists the plugin with the mode.
check() {
  answer=$(mktemp)
  kubectl port-forward --namespace "$KONG_NAMESPACE" "deployment/$DEPLOYMENT" :8444 >"$answer" &
  forward=$!
  trap 'kill $forward; rm "$answer"' EXIT
  end=$(($(date +%s) + CHECK_SECONDS))
  until port=$(sed -n 's/^Forwarding from 127.0.0.1:\([0-9]*\) .*/\1/p' "$answer") && [ -n "$port" ] &&
    curl -fsSk "https://localhost:$port/plugins" | tr -d ' ' | grep -q "\"mode\":\"$MODE\""; do
    [ "$(date +%s)" -lt "$end" ] || { echo "Kong does not list the plugin with mode $MODE" >&2; exit 1; }
    sleep 0.2
  done
  kill $forward
  rm "$answer"
  trap - EXIT
}

# Deletes the ConfigMap of the plugin's older version, which no pod mounts any more.
old_files() {
  kubectl delete configmap "$OLD_FILES" --namespace "$KONG_NAMESPACE"
}

# Removes the plugin, then Kong with the files and its namespace.
remove_kong() {
  kubectl delete kongclusterplugin "$PLUGIN"
  helm uninstall "$KONG_RELEASE" --namespace "$KONG_NAMESPACE" --wait --timeout "$TIMEOUT"
  kubectl delete namespace "$KONG_NAMESPACE"
}

# Removes the agent with its namespace.
remove_agent() {
  helm uninstall traceable-agent --namespace "$AGENT_NAMESPACE" --wait --timeout "$TIMEOUT"
  kubectl delete namespace "$AGENT_NAMESPACE"
}

for step; do
  echo "--- $step"
  "$step"
done
