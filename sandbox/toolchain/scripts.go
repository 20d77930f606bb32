package toolchain

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/strongroom-platform/strongroom/sandbox/files"
)

// Plugins are the providers that strongroom serves, by the name in
// "pulumi-resource-<name>".
var Plugins = []string{"aws", "kubernetes", "tls", "vault"}

// writeScripts writes the scripts that the engine and the component look for
// on PATH.
func (o Options) writeScripts(ctx context.Context) error {
	command, err := o.command()
	if err != nil {
		return err
	}
	node, _, err := o.nodeTool(ctx)
	if err != nil {
		return err
	}
	scripts := map[string]string{
		"pulumi-resource-eks": script("the real EKS component, @pulumi/eks", nil, node, filepath.Join(o.EKSDir, componentEntry)),
	}
	environment := map[string]string{"STRONGROOM_SANDBOX_DIR": filepath.Dir(o.BinDir)}
	for _, name := range Plugins {
		scripts["pulumi-resource-"+name] = script("the sandbox's provider "+name, environment, command, "sandbox", "plugin", name)
	}
	if _, _, found := o.systemAWS(ctx); found {
		if err := removeFile(filepath.Join(o.BinDir, "aws")); err != nil {
			return err
		}
	} else {
		scripts["aws"] = script("a stand-in for the AWS CLI, for the simulated account only", environment, command, "sandbox", "aws")
	}
	for name, text := range scripts {
		if err := files.Ensure(filepath.Join(o.BinDir, name), []byte(text), 0o700); err != nil {
			return err
		}
	}
	return nil
}

// command is the strongroom program that the scripts run.
func (o Options) command() (string, error) {
	if o.Command != "" {
		return o.Command, nil
	}
	if self, err := os.Executable(); err == nil && filepath.Base(self) == "strongroom" && !temporary(self) {
		return self, nil
	}
	built := filepath.Join(o.BinDir, "strongroom")
	if !executable(built) {
		return "", fmt.Errorf("the plugins need the strongroom program in %s: run `make build`", built)
	}
	return built, nil
}

// temporary says whether a program will be gone when `go run` ends.
func temporary(path string) bool {
	return strings.Contains(path, string(filepath.Separator)+"go-build")
}

// script renders a shell script that becomes another program.
func script(what string, environment map[string]string, argv ...string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "#!/bin/sh\n# %s; written by strongroom\n", what)
	for name, value := range environment {
		fmt.Fprintf(&b, "export %s=%s\n", name, quote(value))
	}
	b.WriteString("exec")
	for _, arg := range argv {
		b.WriteString(" " + quote(arg))
	}
	b.WriteString(" \"$@\"\n")
	return b.String()
}

// quote makes one word for a shell.
func quote(word string) string { return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'" }

func removeFile(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
