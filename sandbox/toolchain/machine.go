package toolchain

import (
	"fmt"
	"runtime"
	"syscall"
)

// memoryForTwo is how much memory two compilations at once may need: each
// stays below 3 GB on 2 cores.
const memoryForTwo = 8 << 30

// compilers is how many modules are built at once. Two keep all cores busy
// while one of them links, which is work for a single core; one where the
// machine is small.
func compilers() int {
	if total := totalMemory(); total > 0 && total < memoryForTwo {
		return 1
	}
	if runtime.NumCPU() < 2 {
		return 1
	}
	return 2
}

// requireDisk refuses to begin what cannot end.
func requireDisk(dir string, need uint64) error {
	free, err := FreeDisk(dir)
	if err != nil {
		return err
	}
	if free < need {
		return fmt.Errorf("%s has %d MB free, and %d MB are needed: free some space, or choose another folder with STRONGROOM_SANDBOX_DIR", dir, free>>20, need>>20)
	}
	return nil
}

// FreeDisk is the space, in bytes, that this user may still fill where dir is.
func FreeDisk(dir string) (uint64, error) {
	var stat syscall.Statfs_t
	if err := syscall.Statfs(dir, &stat); err != nil {
		return 0, fmt.Errorf("free space of %s: %w", dir, err)
	}
	return stat.Bavail * uint64(stat.Bsize), nil //nolint:unconvert // the types differ between systems
}
