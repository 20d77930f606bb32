package flux

import (
	"context"
	"fmt"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// completeJobs marks the Jobs that Flux made complete, hooks of charts among them, in
// place of the kubelet and the Job controller. It says whether one waits for what
// completes it elsewhere.
func (f *Flux) completeJobs(ctx context.Context) (waiting bool, err error) {
	jobs, err := f.client.BatchV1().Jobs("").List(ctx, cached)
	if err != nil {
		return false, fmt.Errorf("list the Jobs: %w", err)
	}
	for i := range jobs.Items {
		job := &jobs.Items[i]
		if !made(job) || finished(job) || job.DeletionTimestamp != nil {
			continue
		}
		if !f.options.JobDone(job.Namespace, job.Name) {
			waiting = true
			continue
		}
		now := metav1.NewTime(time.Now().Truncate(time.Second))
		job.Status.StartTime, job.Status.CompletionTime = &now, &now
		job.Status.Succeeded = 1
		if job.Spec.Completions != nil {
			job.Status.Succeeded = *job.Spec.Completions
		}
		for _, kind := range []batchv1.JobConditionType{batchv1.JobSuccessCriteriaMet, batchv1.JobComplete} {
			job.Status.Conditions = append(job.Status.Conditions, batchv1.JobCondition{
				Type: kind, Status: corev1.ConditionTrue, Reason: "Simulated", Message: simulatedMessage,
				LastProbeTime: now, LastTransitionTime: now,
			})
		}
		if err := save(ctx, "Job", job, f.client.BatchV1().Jobs(job.Namespace).UpdateStatus); err != nil {
			return waiting, err
		}
	}
	return waiting, nil
}

func finished(job *batchv1.Job) bool {
	for _, c := range job.Status.Conditions {
		if (c.Type == batchv1.JobComplete || c.Type == batchv1.JobFailed) && c.Status == corev1.ConditionTrue {
			return true
		}
	}
	return false
}
