package accountapi

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/strongroom-platform/strongroom/sandbox/account"
	"github.com/strongroom-platform/strongroom/sandbox/account/schema"
)

// Handler serves an account to whoever has the token. It answers the paths below
// Prefix.
func Handler(a *account.Account, token string) http.Handler {
	s := &server{account: a, token: sha256.Sum256([]byte(token)), underway: newUnderway()}
	mux := http.NewServeMux()
	handle(mux, pathPing, s.ping)
	handle(mux, pathRead, s.read)
	handle(mux, pathInvoke, s.invoke)
	handle(mux, pathCancel, s.cancel)
	handle(mux, pathObjects, s.objects)
	handle(mux, pathFind, s.find)
	handle(mux, pathEdit, s.edit)
	handle(mux, pathSetFault, s.setFault)
	handle(mux, pathListFaults, s.listFaults)
	handle(mux, pathClearFaults, s.clearFaults)
	handleChange(s, mux, pathCreate, s.create)
	handleChange(s, mux, pathUpdate, s.update)
	handleChange(s, mux, pathDelete, s.delete)
	return s.authorized(mux)
}

type server struct {
	account  *account.Account
	token    [sha256.Size]byte
	underway *underway
}

// authorized compares digests, which have one length whatever is sent.
func (s *server) authorized(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		given, found := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		digest := sha256.Sum256([]byte(given))
		if !found || subtle.ConstantTimeCompare(digest[:], s.token[:]) != 1 {
			answer(w, http.StatusUnauthorized, failure{Text: "the request does not carry the daemon's token"})
			return
		}
		next.ServeHTTP(w, r)
	})
}

func handle[Q, A any](mux *http.ServeMux, path string, serve func(context.Context, *http.Request, Q) (A, error)) {
	mux.HandleFunc("POST "+path, func(w http.ResponseWriter, r *http.Request) { respond(w, r, r.Context(), serve) })
}

// handleChange notes the change before its body is read, so that whoever looks for what
// a killed client made waits for it too.
func handleChange[Q, A any](s *server, mux *http.ServeMux, path string, serve func(context.Context, *http.Request, Q) (A, error)) {
	mux.HandleFunc("POST "+path, func(w http.ResponseWriter, r *http.Request) {
		ctx, end := s.underway.begin(r.Context(), r.URL.Query().Get(queryURN), r.URL.Query().Get(queryToken))
		defer end()
		respond(w, r, ctx, serve)
	})
}

func respond[Q, A any](w http.ResponseWriter, r *http.Request, ctx context.Context, serve func(context.Context, *http.Request, Q) (A, error)) {
	// The server notices that a client has gone only once the body is read to its end.
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		var large *http.MaxBytesError
		if errors.As(err, &large) {
			answer(w, http.StatusRequestEntityTooLarge, failure{Text: fmt.Sprintf("the request is larger than %d bytes", maxBody)})
			return
		}
		answer(w, http.StatusBadRequest, failure{Text: "the request could not be read"})
		return
	}
	var request Q
	if err := json.Unmarshal(body, &request); err != nil {
		answer(w, http.StatusBadRequest, failure{Text: fmt.Sprintf("the request is not what %s expects: %v", r.URL.Path, err)})
		return
	}
	response, err := serve(ctx, r, request)
	if err != nil {
		f := failureOf(err)
		answer(w, f.status(), f)
		return
	}
	answer(w, http.StatusOK, response)
}

func answer(w http.ResponseWriter, status int, body any) {
	text, err := json.Marshal(body)
	if err != nil {
		status, text = http.StatusInternalServerError, []byte(`{"text":"the answer could not be written as JSON"}`)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(text) // a client that has gone needs no answer
}

func (s *server) ping(context.Context, *http.Request, empty) (empty, error) { return empty{}, nil }

func (s *server) create(ctx context.Context, r *http.Request, q createRequest) (created, error) {
	if r.URL.Query().Get(queryURN) != q.URN {
		return created{}, errors.New("the URN in the query is not the one in the body")
	}
	id, outputs, err := s.account.Create(ctx, account.CreateRequest{
		Type: q.Type, URN: q.URN, Region: q.Region, Inputs: q.Inputs, Caller: q.Caller,
	})
	return created{id, outputs}, err
}

func (s *server) read(ctx context.Context, _ *http.Request, q objectRequest) (*account.Object, error) {
	return s.account.Read(ctx, q.Type, q.ID)
}

func (s *server) update(ctx context.Context, _ *http.Request, q objectRequest) (created, error) {
	outputs, err := s.account.Update(ctx, q.Type, q.ID, q.Inputs)
	return created{Outputs: outputs}, err
}

func (s *server) delete(ctx context.Context, _ *http.Request, q objectRequest) (empty, error) {
	return empty{}, s.account.Delete(ctx, q.Type, q.ID)
}

func (s *server) invoke(ctx context.Context, _ *http.Request, q invokeRequest) (map[string]any, error) {
	return s.account.Invoke(ctx, q.Token, q.Region, q.Args)
}

func (s *server) cancel(_ context.Context, r *http.Request, _ empty) (cancelled, error) {
	return cancelled{s.underway.cancel(r.URL.Query().Get(queryToken))}, nil
}

func (s *server) objects(context.Context, *http.Request, empty) (objects, error) {
	return objects{s.account.Objects()}, nil
}

func (s *server) find(ctx context.Context, r *http.Request, _ empty) (objects, error) {
	urn := r.URL.Query().Get(queryURN)
	if err := s.underway.wait(ctx, urn); err != nil {
		return objects{}, err
	}
	found := s.account.FindByURN(urn)
	for _, o := range found {
		if o.State == account.Creating {
			return objects{}, fmt.Errorf("%s %q was being created when its client went away, and could not be taken back: restart the sandbox (`strongroom sandbox down`, then `up`), which tries again", o.Type, o.ID)
		}
	}
	return objects{found}, nil
}

func (s *server) edit(_ context.Context, _ *http.Request, q objectRequest) (empty, error) {
	shape, err := schema.Lookup(q.Type)
	if err != nil {
		return empty{}, err
	}
	for name := range q.Changes {
		_, isInput := shape.Inputs[name]
		if _, isOutput := shape.Outputs[name]; !isInput && !isOutput {
			return empty{}, fmt.Errorf("%s has no property %q", q.Type, name)
		}
	}
	return empty{}, s.account.Edit(q.Type, q.ID, func(o *account.Object) {
		for name, value := range q.Changes {
			if _, ok := shape.Inputs[name]; ok {
				o.Inputs = changed(o.Inputs, name, value)
			}
			if _, ok := shape.Outputs[name]; ok {
				o.Outputs = changed(o.Outputs, name, value)
			}
		}
		if _, ok := shape.Outputs["tagsAll"]; ok && q.Changes["tags"] != nil {
			o.Outputs = changed(o.Outputs, "tagsAll", q.Changes["tags"])
		}
	})
}

func changed(properties map[string]any, name string, value any) map[string]any {
	if properties == nil {
		properties = map[string]any{}
	}
	if value == nil {
		delete(properties, name)
		return properties
	}
	properties[name] = value
	return properties
}

func (s *server) setFault(_ context.Context, _ *http.Request, q account.Fault) (empty, error) {
	return empty{}, s.account.Faults().Set(q)
}

func (s *server) listFaults(context.Context, *http.Request, empty) (faults, error) {
	return faults{s.account.Faults().List()}, nil
}

func (s *server) clearFaults(context.Context, *http.Request, empty) (empty, error) {
	s.account.Faults().Clear()
	return empty{}, nil
}
