// Command kubectl-at is kubectl with a clock that can be set: it is built with an overlay of the
// package time (overlay.py) whose Now answers KUBECTL_NOW. Ages in its output are then of that moment.
package main

import (
	"os"

	"k8s.io/component-base/cli"
	"k8s.io/kubectl/pkg/cmd"
)

func main() { os.Exit(cli.Run(cmd.NewDefaultKubectlCommand())) }
