package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"time"
)

// What is needed. Disk: the modules' sources and the build cache take about
// 5 GB, the tools and packages 1 GB. Memory: one compilation takes up to 3 GB.
const (
	leastGoMinor = 26
	leastNode    = 20
	diskToBuild  = 8 << 30
	diskToRun    = 1 << 30
	memoryNeeded = 4 << 30
	askLimit     = 30 * time.Second
)

// machine is how doctor looks at the machine.
type machine struct {
	look   func(program string) (path string, err error)
	ask    func(ctx context.Context, program string, args ...string) (string, error)
	disk   func(dir string) (free uint64, err error)
	memory func() uint64 // 0: unknown
	port   func() error
	write  func(dir string) error
}

// program is a program that doctor looks for.
type program struct {
	name string
	args []string // make it tell its version
	what string
	// version finds the version in what it says; old says what is wrong with it.
	version *regexp.Regexp
	old     func(match []string) string
	needed  bool
	without string // what happens without one that is not needed
	get     map[string]string
}

var programs = []program{
	{
		name: "go", args: []string{"env", "GOVERSION"}, what: "building strongroom and the sandbox's tools", needed: true,
		version: regexp.MustCompile(`go1\.(\d+)\S*`), old: func(m []string) string { return olderThan(m[1], leastGoMinor, "1.26") },
		get: map[string]string{
			"Debian": "https://go.dev/doc/install (the package golang of Debian is older than 1.26)",
			"macOS":  "brew install go", "Fedora": "sudo dnf install golang",
		},
	},
	{
		name: "node", args: []string{"--version"}, what: "running the EKS component", needed: true,
		version: regexp.MustCompile(`v(\d+)\.\S*`), old: func(m []string) string { return olderThan(m[1], leastNode, "20") },
		get: map[string]string{"Debian": "sudo apt install nodejs npm", "macOS": "brew install node", "Fedora": "sudo dnf install nodejs npm"},
	},
	{
		name: "npm", args: []string{"--version"}, what: "installing the EKS component", needed: true,
		version: regexp.MustCompile(`\d+\.\d+\.\d+`),
		get:     map[string]string{"Debian": "sudo apt install npm", "macOS": "brew install node", "Fedora": "sudo dnf install nodejs-npm"},
	},
	{
		name: "git", args: []string{"--version"}, what: "having the sources, and fetching Go modules", needed: true,
		version: regexp.MustCompile(`\d+\.\d+\S*`),
		get:     map[string]string{"Debian": "sudo apt install git", "macOS": "xcode-select --install", "Fedora": "sudo dnf install git"},
	},
	{
		name: "make", args: []string{"--version"}, what: "make up, make down, make test", needed: true,
		version: regexp.MustCompile(`\d+\.\d+\S*`),
		get:     map[string]string{"Debian": "sudo apt install make", "macOS": "xcode-select --install", "Fedora": "sudo dnf install make"},
	},
	{
		name: "aws", args: []string{"--version"}, what: "clusters on AWS", without: "the sandbox brings a stand-in of its own",
		version: regexp.MustCompile(`aws-cli/(\d+)\.(\d+)\.\d+`), old: oldAWS,
		get: map[string]string{
			"Debian": "https://docs.aws.amazon.com/cli/latest/userguide/getting-started-install.html",
			"macOS":  "brew install awscli", "Fedora": "sudo dnf install awscli2",
		},
	},
	{
		name: "kubectl", args: []string{"version", "--client=true"}, what: "looking into the clusters", without: "the sandbox builds one of its own",
		version: regexp.MustCompile(`v1\.(\d+)\.\S*`), old: func(m []string) string { return olderThan(m[1], 24, "1.24") },
		get: map[string]string{
			"Debian": "https://kubernetes.io/docs/tasks/tools/install-kubectl-linux/",
			"macOS":  "brew install kubectl", "Fedora": "sudo dnf install kubernetes-client",
		},
	},
	{
		name: "pulumi", args: []string{"version"}, what: "bringing the stacks up on AWS", without: "the sandbox builds one of its own",
		version: regexp.MustCompile(`v\d+\.\d+\.\d+\S*`),
		get: map[string]string{
			"Debian": "curl -fsSL https://get.pulumi.com | sh",
			"macOS":  "brew install pulumi/tap/pulumi", "Fedora": "curl -fsSL https://get.pulumi.com | sh",
		},
	},
}

// olderThan says that a version is too old, where it is.
func olderThan(number string, least int, wanted string) string {
	n, err := strconv.Atoi(number)
	if err != nil || n >= least {
		return ""
	}
	return wanted + " or newer is needed"
}

// oldAWS: @pulumi/eks refuses older ones (its dependencies.js).
func oldAWS(m []string) string {
	if m[1] == "1" {
		return olderThan(m[2], 24, "1.24 or 2.7")
	}
	if m[1] == "2" {
		return olderThan(m[2], 7, "2.7")
	}
	return ""
}

// examine looks at everything.
func (a *app) examine(ctx context.Context, b box) []finding {
	var all []finding
	for _, p := range programs {
		all = append(all, a.machine.examineProgram(ctx, p))
	}
	return append(all,
		a.machine.examineFolder(b), a.machine.examineDisk(b), a.machine.examineMemory(), a.machine.examinePorts())
}

func (m machine) examineProgram(ctx context.Context, p program) finding {
	f := finding{Name: p.name, Verdict: good, For: p.what}
	lacking := func(detail string) finding {
		f.Detail, f.Get, f.Verdict = detail, p.get, absent
		if p.needed {
			f.Verdict = missing
		} else if p.without != "" {
			f.Detail += "; " + p.without
		}
		return f
	}
	path, err := m.look(p.name)
	if err != nil {
		return lacking("not on PATH")
	}
	said, err := m.ask(ctx, path, p.args...)
	if err != nil {
		return lacking(fmt.Sprintf("%s does not work: %v", path, err))
	}
	match := p.version.FindStringSubmatch(said)
	if match == nil {
		f.Detail = path + ", of a version that it does not tell"
		return f
	}
	if p.old != nil {
		if old := p.old(match); old != "" {
			return lacking(fmt.Sprintf("%s at %s: %s", match[0], path, old))
		}
	}
	f.Detail = fmt.Sprintf("%s at %s", match[0], path)
	return f
}

func (m machine) examineFolder(b box) finding {
	f := finding{Name: "folder", Verdict: good, Detail: b.Folder(), For: "everything the sandbox makes"}
	err := b.Check()
	if err == nil {
		err = m.write(b.Folder())
	}
	if err != nil {
		f.Verdict, f.Detail = missing, err.Error()
	}
	return f
}

func (m machine) examineDisk(b box) finding {
	f := finding{Name: "disk", Verdict: good, For: "the build cache, the tools and the control planes' data"}
	need := uint64(diskToBuild)
	if requireTools(b) == nil {
		need = diskToRun
	}
	free, err := m.disk(existing(b.Folder()))
	if err != nil {
		f.Verdict, f.Detail = warning, err.Error()
		return f
	}
	f.Detail = fmt.Sprintf("%.1f GB free at %s", gigabytes(free), b.Folder())
	if free < need {
		f.Verdict = missing
		f.Detail += fmt.Sprintf(", and %.0f GB are needed: free some space, or choose another folder with %s", gigabytes(need), dirVariable)
	}
	return f
}

func (m machine) examineMemory() finding {
	f := finding{Name: "memory", Verdict: good, For: "building the tools"}
	total := m.memory()
	if total == 0 {
		f.Verdict, f.Detail = warning, "unknown; building needs about 3 GB"
		return f
	}
	f.Detail = fmt.Sprintf("%.1f GB", gigabytes(total))
	if total < memoryNeeded {
		f.Verdict = warning
		f.Detail += ": building needs about 3 GB; close other programs while it does"
	}
	return f
}

func (m machine) examinePorts() finding {
	f := finding{Name: "ports", Verdict: good, Detail: "free ones on 127.0.0.1", For: "the simulated account and the control planes"}
	if err := m.port(); err != nil {
		f.Verdict, f.Detail = missing, err.Error()
	}
	return f
}

func gigabytes(bytes uint64) float64 { return float64(bytes) / (1 << 30) }

// existing is the folder, or the nearest one above it that exists.
func existing(dir string) string {
	for {
		if _, err := os.Stat(dir); err == nil {
			return dir
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return dir
		}
		dir = parent
	}
}

// writable proves that a folder can be written to, or made, and leaves nothing.
func writable(dir string) error {
	at := existing(dir)
	info, err := os.Stat(at)
	if err == nil && !info.IsDir() {
		return fmt.Errorf("%s is a file: remove it, or choose another folder with %s", at, dirVariable)
	}
	probe, err := os.CreateTemp(at, ".strongroom-doctor-")
	if err != nil {
		if errors.Is(err, fs.ErrPermission) {
			return fmt.Errorf("%s is not writable by this user: make it writable, or choose another folder with %s", at, dirVariable)
		}
		return fmt.Errorf("%s cannot be written to: %w: choose another folder with %s", at, err, dirVariable)
	}
	return errors.Join(probe.Close(), os.Remove(probe.Name()))
}
