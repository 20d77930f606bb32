package toolchain

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"time"

	"github.com/strongroom-platform/strongroom/sandbox/process"
)

// The component refuses older ones: @pulumi/eks 2.8.1, dependencies.js.
var (
	minKubectl = release{1, 24, 0}
	minAWSCLI1 = release{1, 24, 0}
	minAWSCLI2 = release{2, 7, 0}
)

type release [3]int

func (r release) String() string { return fmt.Sprintf("%d.%d.%d", r[0], r[1], r[2]) }

func (r release) before(other release) bool {
	for i := range r {
		if r[i] != other[i] {
			return r[i] < other[i]
		}
	}
	return false
}

var releasePattern = regexp.MustCompile(`(\d+)\.(\d+)\.(\d+)`)

func parseRelease(text string) (release, bool) {
	match := releasePattern.FindStringSubmatch(text)
	if match == nil {
		return release{}, false
	}
	var r release
	for i := range r {
		n, err := strconv.Atoi(match[i+1])
		if err != nil {
			return release{}, false
		}
		r[i] = n
	}
	return r, true
}

// askLimit bounds how long a program may take to tell its version.
const askLimit = 30 * time.Second

// systemKubectl says where the machine's own kubectl is, if one will do.
func (o Options) systemKubectl(ctx context.Context) (path, version string, found bool) {
	path, found = o.lookPath("kubectl")
	if !found {
		return "", "", false
	}
	ctx, cancel := context.WithTimeout(ctx, askLimit)
	defer cancel()
	out, err := process.Output(ctx, path, "version", "--client=true", "--output=json")
	if err != nil {
		return "", "", false
	}
	var answer struct {
		ClientVersion struct{ GitVersion string } `json:"clientVersion"`
	}
	if err := json.Unmarshal(out, &answer); err != nil {
		return "", "", false
	}
	r, understood := parseRelease(answer.ClientVersion.GitVersion)
	if !understood || r.before(minKubectl) {
		return "", "", false
	}
	return path, r.String(), true
}

// systemAWS says where the machine's own AWS CLI is, if one will do and is wanted.
func (o Options) systemAWS(ctx context.Context) (path, version string, found bool) {
	if o.OwnAWS {
		return "", "", false
	}
	path, found = o.lookPath("aws")
	if !found {
		return "", "", false
	}
	ctx, cancel := context.WithTimeout(ctx, askLimit)
	defer cancel()
	out, err := process.Output(ctx, path, "--version")
	if err != nil {
		return "", "", false
	}
	r, understood := parseRelease(string(out))
	least := minAWSCLI2
	if r[0] == 1 {
		least = minAWSCLI1
	}
	if !understood || r.before(least) {
		return "", "", false
	}
	return path, r.String(), true
}
