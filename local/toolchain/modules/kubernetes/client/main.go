// Command client talks to an API server with client-go, the library of kubectl, Helm and the official plugin.
//
// It reads JSON documents from stdin: the settings, then requests. It writes one line for each: what the kubeconfig
// says, then responses, in any order. It ends with its stdin, and so with the process that started it.
//
// The steps are those of `Configure` in pulumi-kubernetes (provider/pkg/provider/provider.go). A kubeconfig that is given
// as a path has no folder there: its relative paths begin at the working directory.
package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/user"
	"path/filepath"
	"strings"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	_ "k8s.io/client-go/plugin/pkg/client/auth"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"
)

// defaultTimeout ends requests if the settings have no timeout. The official plugin would wait.
const defaultTimeout = time.Minute

type settings struct {
	Kubeconfig     string  `json:"kubeconfig"` // a path or contents; empty for the ambient configuration
	Context        string  `json:"context"`
	Cluster        string  `json:"cluster"`
	Namespace      string  `json:"namespace"`
	TimeoutSeconds float64 `json:"timeoutSeconds"`
	Copy           string  `json:"copy"` // where to write a kubeconfig for command-line tools; empty for nowhere
}

// found is what the kubeconfig says. Stage is the step that failed: parse, load or connect.
type found struct {
	Namespace string `json:"namespace"`
	Stage     string `json:"stage,omitempty"`
	Error     string `json:"error,omitempty"`
}

type request struct {
	ID          int               `json:"id"`
	Method      string            `json:"method"`
	Path        string            `json:"path"`
	Query       map[string]string `json:"query"`
	ContentType string            `json:"contentType"`
	Body        json.RawMessage   `json:"body"`
}

// response has one of Object, Status, which is the server's error, and Error, if there is no usable response.
type response struct {
	ID     int             `json:"id"`
	Object json.RawMessage `json:"object,omitempty"`
	Status *metav1.Status  `json:"status,omitempty"`
	Error  string          `json:"error,omitempty"`
}

func main() {
	input, output := json.NewDecoder(os.Stdin), json.NewEncoder(os.Stdout)
	// client-go asks for a missing login on stdout.
	os.Stdout = os.Stderr
	var given settings
	if input.Decode(&given) != nil {
		return
	}
	says, client := connect(given)
	if output.Encode(says) != nil || client == nil {
		return
	}
	var writing sync.Mutex
	for {
		var asked request
		if input.Decode(&asked) != nil {
			return
		}
		go func() {
			says := send(client, asked, timeout(given))
			writing.Lock()
			defer writing.Unlock()
			_ = output.Encode(says)
		}()
	}
}

func connect(given settings) (found, rest.Interface) {
	config, err := clientConfig(given)
	if err != nil {
		return found{Stage: "parse", Error: err.Error()}, nil
	}
	says := found{}
	if says.Namespace, _, err = config.Namespace(); err != nil {
		says.Namespace = given.Namespace
	}
	settled, err := config.ClientConfig()
	if err == nil && given.Copy != "" {
		err = write(config, given)
	}
	if err != nil {
		says.Stage, says.Error = "load", err.Error()
		return says, nil
	}
	settled.QPS = -1
	settled.Timeout = timeout(given)
	settled.UserAgent = "pulumi-kubernetes-stand-in"
	settled.WarningHandler = rest.NoWarnings{}
	known := runtime.NewScheme()
	metav1.AddToGroupVersion(known, schema.GroupVersion{Version: "v1"})
	settled.NegotiatedSerializer = serializer.NewCodecFactory(known).WithoutConversion()
	client, err := rest.UnversionedRESTClientFor(settled)
	if err != nil {
		says.Stage, says.Error = "connect", err.Error()
		return says, nil
	}
	return says, client
}

func clientConfig(given settings) (clientcmd.ClientConfig, error) {
	overrides := &clientcmd.ConfigOverrides{
		Context:        api.Context{Cluster: given.Cluster, Namespace: given.Namespace},
		CurrentContext: given.Context,
	}
	if given.Kubeconfig == "" {
		rules := clientcmd.NewDefaultClientConfigLoadingRules()
		rules.DefaultClientConfig = &clientcmd.DefaultClientConfig
		nothing, err := os.Open(os.DevNull)
		if err != nil {
			return nil, err
		}
		return clientcmd.NewInteractiveDeferredLoadingClientConfig(rules, overrides, nothing), nil
	}
	contents, err := read(given.Kubeconfig)
	if err != nil {
		return nil, err
	}
	parsed, err := clientcmd.Load(contents)
	if err != nil {
		return nil, err
	}
	return clientcmd.NewDefaultClientConfig(*parsed, overrides), nil
}

func read(kubeconfig string) ([]byte, error) {
	path := kubeconfig
	if path == "~" || strings.HasPrefix(path, "~/") {
		owner, err := user.Current()
		if err != nil {
			return nil, err
		}
		path = filepath.Join(owner.HomeDir, strings.TrimPrefix(path, "~"))
	}
	if _, err := os.Stat(path); err == nil {
		return os.ReadFile(path)
	}
	return []byte(kubeconfig), nil
}

// write makes the choices of the settings, and absolute paths, a part of the copy.
func write(config clientcmd.ClientConfig, given settings) error {
	raw, err := config.RawConfig()
	if err != nil {
		return err
	}
	if given.Context != "" {
		raw.CurrentContext = given.Context
	}
	if chosen := raw.Contexts[raw.CurrentContext]; chosen != nil && given.Cluster != "" {
		chosen.Cluster = given.Cluster
	}
	here, err := os.Getwd()
	if err != nil {
		return err
	}
	var paths []*string
	for _, each := range raw.Clusters {
		paths = append(paths, clientcmd.GetClusterFileReferences(each)...)
	}
	for _, each := range raw.AuthInfos {
		paths = append(paths, clientcmd.GetAuthInfoFileReferences(each)...)
	}
	if err := clientcmd.ResolvePaths(paths, here); err != nil {
		return err
	}
	return clientcmd.WriteToFile(raw, given.Copy)
}

func timeout(given settings) time.Duration {
	return time.Duration(given.TimeoutSeconds * float64(time.Second))
}

func send(client rest.Interface, asked request, limit time.Duration) response {
	prepared := client.Verb(asked.Method).AbsPath(asked.Path)
	for name, value := range asked.Query {
		prepared.Param(name, value)
	}
	if len(asked.Body) > 0 {
		prepared.SetHeader("Content-Type", asked.ContentType).Body([]byte(asked.Body))
	}
	if asked.Query["watch"] == "true" {
		return answer(asked, nil, firstEvent(prepared))
	}
	limited, done := context.WithTimeout(context.Background(), cmp.Or(limit, defaultTimeout))
	defer done()
	result := prepared.Do(limited)
	body, _ := result.Raw()
	return answer(asked, body, result.Error())
}

// firstEvent waits until a watch has an event, or ends.
func firstEvent(prepared *rest.Request) error {
	events, err := prepared.Stream(context.Background())
	if err != nil {
		return err
	}
	defer events.Close()
	if _, err := events.Read(make([]byte, 1)); err != io.EOF {
		return err
	}
	return nil
}

func answer(asked request, body []byte, err error) response {
	var refused apierrors.APIStatus
	switch {
	case errors.As(err, &refused):
		status := refused.Status()
		return response{ID: asked.ID, Status: &status}
	case err != nil:
		return response{ID: asked.ID, Error: err.Error()}
	}
	if err := json.Unmarshal(body, &map[string]json.RawMessage{}); err != nil && len(body) > 0 {
		return response{ID: asked.ID, Error: "the server's response is not an object: " + err.Error()}
	}
	return response{ID: asked.ID, Object: body}
}
