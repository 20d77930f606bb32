package secretsmanager

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// version is one value of a secret. The value is a ciphertext of the simulated
// KMS: what lies on disk is worth nothing without the key.
type version struct {
	ID      string    `json:"id"`
	Stages  []string  `json:"stages"`
	Created time.Time `json:"created"`
	// Value holds the ciphertext of the payload.
	Value []byte `json:"value"`
	KeyID string `json:"keyId,omitempty"`
}

// values are all versions of one secret, oldest first.
type values struct {
	ARN      string    `json:"arn"`
	Versions []version `json:"versions"`
}

func (v *values) byID(id string) *version {
	for i := range v.Versions {
		if v.Versions[i].ID == id {
			return &v.Versions[i]
		}
	}
	return nil
}

func (v *values) byStage(stage string) *version {
	for i := range v.Versions {
		if slices.Contains(v.Versions[i].Stages, stage) {
			return &v.Versions[i]
		}
	}
	return nil
}

// The labels that Secrets Manager moves by itself.
const (
	current  = "AWSCURRENT"
	previous = "AWSPREVIOUS"
)

// label moves a label to a version. Moving AWSCURRENT leaves AWSPREVIOUS where
// it was.
func (v *values) label(to *version, stage string) {
	holder := v.byStage(stage)
	if holder == to {
		return
	}
	if holder != nil {
		holder.Stages = without(holder.Stages, stage)
		if stage == current {
			if last := v.byStage(previous); last != nil {
				last.Stages = without(last.Stages, previous)
			}
			holder.Stages = append(holder.Stages, previous)
		}
	}
	to.Stages = append(without(to.Stages, stage), stage)
	if stage == current {
		to.Stages = without(to.Stages, previous)
	}
}

// prune drops versions without a label: they are deprecated, and Secrets Manager
// does not promise to keep them.
// https://docs.aws.amazon.com/secretsmanager/latest/userguide/getting-started.html#term_version
func (v *values) prune() {
	v.Versions = slices.DeleteFunc(v.Versions, func(one version) bool { return len(one.Stages) == 0 })
}

func without(stages []string, stage string) []string {
	return slices.DeleteFunc(slices.Clone(stages), func(s string) bool { return s == stage })
}

func (s *Service) path(arn string) string {
	sum := sha256.Sum256([]byte(arn))
	return filepath.Join(s.dir, hex.EncodeToString(sum[:16])+".json")
}

func (s *Service) load(arn string) (*values, error) {
	data, err := os.ReadFile(s.path(arn))
	if errors.Is(err, fs.ErrNotExist) {
		return &values{ARN: arn}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("values of the simulated secret %s: %w", arn, err)
	}
	stored := &values{}
	if err := json.Unmarshal(data, stored); err != nil || stored.ARN != arn {
		return nil, errors.Join(fmt.Errorf("values of the simulated secret %s: %s is damaged", arn, s.path(arn)), err)
	}
	return stored, nil
}

// save writes a secret's versions durably, all or nothing: an answer means that
// the value is kept.
func (s *Service) save(v *values) error {
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return fmt.Errorf("values of the simulated secret %s: %w", v.ARN, err)
	}
	data, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("values of the simulated secret %s: %w", v.ARN, err)
	}
	temp := s.path(v.ARN) + ".new"
	file, err := os.OpenFile(temp, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err == nil {
		_, err = file.Write(data)
		if err == nil {
			err = file.Sync()
		}
		err = errors.Join(err, file.Close())
	}
	if err == nil {
		err = os.Rename(temp, s.path(v.ARN))
	}
	if err != nil {
		return fmt.Errorf("values of the simulated secret %s: %w", v.ARN, err)
	}
	return nil
}
