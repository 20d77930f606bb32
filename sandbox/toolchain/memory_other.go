//go:build !linux

package toolchain

import (
	"encoding/binary"
	"syscall"
)

// totalMemory is the machine's memory in bytes, 0 where unknown. On macOS it
// is the number hw.memsize, whose last byte syscall.Sysctl drops when it is 0.
func totalMemory() uint64 {
	raw, err := syscall.Sysctl("hw.memsize")
	if err != nil || len(raw) > 8 {
		return 0
	}
	var bytes [8]byte
	copy(bytes[:], raw)
	return binary.LittleEndian.Uint64(bytes[:])
}
