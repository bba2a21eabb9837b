// SPDX-License-Identifier: Apache-2.0

// The unmodified kubectl, for machines whose distribution has none.
package main

import (
	"os"

	"k8s.io/component-base/cli"
	"k8s.io/kubectl/pkg/cmd"
)

func main() {
	os.Exit(cli.Run(cmd.NewDefaultKubectlCommand()))
}
