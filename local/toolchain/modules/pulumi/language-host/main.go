// Command pulumi-language-python runs plugins and policy packs for the engine, and hands everything else to the SDK's
// own language host, pulumi-language-python-sdk beside it.
//
// The newest language host that can be had as a Go module is older than the engine, and reads a field of the request
// RunPlugin that the engine no longer sets. How a plugin is started is public behavior of the engine's release
// (sdk/python/cmd/pulumi-language-python/main.go, RunPlugin).
package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"syscall"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"
)

const (
	sdkHost     = "pulumi-language-python-sdk"
	runPlugin   = "/pulumirpc.LanguageRuntime/RunPlugin"
	maxMessage  = 400 << 20 // as sdk/go/common/util/rpcutil
	analyzer    = "analyzer"
	failedStart = 1
)

// frame is a message as bytes, so that messages pass through unread.
type frame struct{ content []byte }

type codec struct{}

func (codec) Name() string { return "proto" }

func (codec) Marshal(message any) ([]byte, error) { return message.(*frame).content, nil }

func (codec) Unmarshal(content []byte, message any) error {
	message.(*frame).content = append([]byte(nil), content...)
	return nil
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "pulumi-language-python:", err)
		os.Exit(failedStart)
	}
}

func run() error {
	host, port, err := startSDKHost()
	if err != nil {
		return err
	}
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		<-signals
		_ = host.Process.Kill()
	}()
	connection, err := grpc.NewClient("127.0.0.1:"+port,
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.ForceCodec(codec{}), grpc.MaxCallRecvMsgSize(maxMessage)))
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	server := grpc.NewServer(grpc.ForceServerCodec(codec{}), grpc.MaxRecvMsgSize(maxMessage),
		grpc.UnknownServiceHandler(func(_ any, stream grpc.ServerStream) error {
			if method, _ := grpc.MethodFromServerStream(stream); method == runPlugin {
				return startPlugin(stream)
			}
			return forward(stream, connection)
		}))
	go func() { _ = server.Serve(listener) }()
	fmt.Println(listener.Addr().(*net.TCPAddr).Port)
	// The SDK's host ends when the engine does.
	_ = host.Wait()
	return nil
}

func startSDKHost() (*exec.Cmd, string, error) {
	own, err := os.Executable()
	if err != nil {
		return nil, "", err
	}
	if own, err = filepath.EvalSymlinks(own); err != nil {
		return nil, "", err
	}
	host := exec.Command(filepath.Join(filepath.Dir(own), sdkHost), os.Args[1:]...)
	host.Stderr = os.Stderr
	output, err := host.StdoutPipe()
	if err != nil {
		return nil, "", err
	}
	if err = host.Start(); err != nil {
		return nil, "", err
	}
	reader := bufio.NewReader(output)
	port, err := reader.ReadString('\n')
	if err != nil {
		return nil, "", fmt.Errorf("%s printed no port: %w", sdkHost, err)
	}
	go func() { _, _ = io.Copy(os.Stdout, reader) }()
	return host, strings.TrimSpace(port), nil
}

// forward passes one call on. Every request of the engine to a language host is a single message.
func forward(stream grpc.ServerStream, connection *grpc.ClientConn) error {
	method, _ := grpc.MethodFromServerStream(stream)
	ctx := stream.Context()
	if incoming, ok := metadata.FromIncomingContext(ctx); ok {
		ctx = metadata.NewOutgoingContext(ctx, incoming.Copy())
	}
	call, err := connection.NewStream(ctx, &grpc.StreamDesc{ServerStreams: true, ClientStreams: true}, method)
	if err != nil {
		return err
	}
	request := &frame{}
	if err = stream.RecvMsg(request); err != nil {
		return err
	}
	// EOF: the call has already ended, and RecvMsg says how.
	if err = call.SendMsg(request); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	if err = call.CloseSend(); err != nil {
		return err
	}
	for {
		response := &frame{}
		if err = call.RecvMsg(response); err != nil {
			if errors.Is(err, io.EOF) {
				return nil
			}
			return err
		}
		if err = stream.SendMsg(response); err != nil {
			return err
		}
	}
}

// responses sends the output of a plugin.
type responses struct {
	lock   sync.Mutex
	stream grpc.ServerStream
}

func (r *responses) send(response *pulumirpc.RunPluginResponse) error {
	content, err := proto.Marshal(response)
	if err != nil {
		return err
	}
	r.lock.Lock()
	defer r.lock.Unlock()
	return r.stream.SendMsg(&frame{content: content})
}

type writer func([]byte) error

func (w writer) Write(content []byte) (int, error) {
	return len(content), w(append([]byte(nil), content...))
}

func startPlugin(stream grpc.ServerStream) error {
	received := &frame{}
	if err := stream.RecvMsg(received); err != nil {
		return err
	}
	request := &pulumirpc.RunPluginRequest{}
	if err := proto.Unmarshal(received.content, request); err != nil {
		return err
	}
	command := pluginCommand(stream.Context(), request)
	to := &responses{stream: stream}
	command.Stdout = writer(func(content []byte) error {
		return to.send(&pulumirpc.RunPluginResponse{Output: &pulumirpc.RunPluginResponse_Stdout{Stdout: content}})
	})
	command.Stderr = writer(func(content []byte) error {
		return to.send(&pulumirpc.RunPluginResponse{Output: &pulumirpc.RunPluginResponse_Stderr{Stderr: content}})
	})
	var exited *exec.ExitError
	if err := command.Run(); err != nil && !errors.As(err, &exited) {
		return fmt.Errorf("the plugin in %s did not start: %w", request.Info.GetProgramDirectory(), err)
	}
	code := int32(command.ProcessState.ExitCode())
	return to.send(&pulumirpc.RunPluginResponse{Output: &pulumirpc.RunPluginResponse_Exitcode{Exitcode: code}})
}

// pluginCommand starts a policy pack with the module pulumi.policy, in its folder, and any other plugin as a program.
func pluginCommand(ctx context.Context, request *pulumirpc.RunPluginRequest) *exec.Cmd {
	program := request.Info.GetProgramDirectory()
	python := "python3"
	environment := request.Env
	if named, _ := request.Info.GetOptions().AsMap()["virtualenv"].(string); named != "" {
		folder := named
		if !filepath.IsAbs(folder) {
			folder = filepath.Join(request.Info.GetRootDirectory(), folder)
		}
		python = filepath.Join(folder, "bin", "python")
		environment = append(environment, "VIRTUAL_ENV="+folder)
	}
	arguments := append([]string{program}, request.Args...)
	folder := request.Pwd
	if request.Kind == analyzer {
		arguments = append(append([]string{"-u", "-m", "pulumi.policy"}, request.Args...), program)
		folder = program
	}
	command := exec.CommandContext(ctx, python, arguments...)
	command.Dir = folder
	command.Env = environment
	return command
}
