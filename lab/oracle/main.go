// Command kubectl-at is kubectl with a clock that can be set: it is built with an overlay of the
// package time (overlay.py) whose Now answers KUBECTL_NOW. Ages in its output are then of that moment.
package main

import (
	"k8s.io/component-base/cli"
	"k8s.io/kubectl/pkg/cmd"
	"k8s.io/kubectl/pkg/cmd/util"
)

// Mistakes of the command line are told by kubectl itself, as in its own main function.
func main() {
	if err := cli.RunNoErrOutput(cmd.NewDefaultKubectlCommand()); err != nil {
		util.CheckErr(err)
	}
}
