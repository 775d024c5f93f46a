//go:build tools

// Package tools names the programs that this module builds, so that `go mod tidy` keeps what they need.
package tools

import (
	_ "github.com/pulumi/pulumi-yaml/cmd/pulumi-language-yaml"
	_ "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"
)
