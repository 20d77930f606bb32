package plugin

import (
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/util/rpcutil/rpcerror"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc/codes"
)

// InitFailed is the error for an object that exists but did not become ready: the engine
// keeps it in the state with these properties and the reasons, and tries an update on the
// next run. inputs is only used by Read and may be nil.
func InitFailed(id string, properties, inputs resource.PropertyMap, cause error, reasons ...string) error {
	state, err := Marshal(properties)
	if err != nil {
		return err
	}
	detail := &pulumirpc.ErrorResourceInitFailed{Id: id, Properties: state, Reasons: reasons}
	if inputs != nil {
		if detail.Inputs, err = Marshal(inputs); err != nil {
			return err
		}
	}
	return rpcerror.WithDetails(rpcerror.New(codes.Unknown, cause.Error()), detail)
}
