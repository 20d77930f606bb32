package tls

import (
	"fmt"
	"time"
)

// renewalDue says whether a certificate that ends at endTime (RFC 3339) has expired or
// will within early hours. A certificate without an end time is not made yet.
func renewalDue(endTime, early any, now time.Time) (bool, error) {
	s, ok := endTime.(string)
	if !ok || s == "" {
		return false, nil
	}
	end, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return false, fmt.Errorf("validityEndTime: expected an RFC 3339 time, got %q", s)
	}
	hours, _ := early.(float64)
	return !now.Before(end.Add(-time.Duration(hours) * time.Hour)), nil
}
