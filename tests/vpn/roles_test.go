package vpn

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// roleVariable makes this program play a part in a namespace instead of testing.
const roleVariable = "STRONGROOM_VPN_TEST_ROLE"

const readyLine = "ready\n"

func TestMain(m *testing.M) {
	roles := map[string]func(args []string) error{"vpc": serveVPC, "resolver": serveResolver, "reach": reach}
	role, ok := roles[os.Getenv(roleVariable)]
	if !ok {
		os.Exit(m.Run())
	}
	if err := role(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// untilInputEnds says that it is ready and waits for the test to end.
func untilInputEnds() error {
	fmt.Print(readyLine)
	_, err := io.Copy(io.Discard, os.Stdin)
	return err
}

// serveVPC is what the VPN leads to: the VPC's resolver, which alone knows the
// private zone, and a TLS listener where Vault would be.
func serveVPC(args []string) error {
	certificate, err := tls.LoadX509KeyPair(args[0], args[1])
	if err != nil {
		return err
	}
	listener, err := tls.Listen("tcp", net.JoinHostPort(vaultAddress, vaultPort), &tls.Config{
		Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12,
	})
	if err != nil {
		return err
	}
	go func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				_, _ = fmt.Fprintf(c, "vault sees %s\n", c.RemoteAddr()) // the test sees whether it arrived
				_ = c.Close()
			}()
		}
	}()
	if err := serveDNS(vpcResolver, func(name string) string {
		if name == vaultName+"." {
			return vaultAddress
		}
		return ""
	}); err != nil {
		return err
	}
	return untilInputEnds()
}

// serveResolver is the resolver that a machine has without a VPN: it knows, as in
// public DNS, any name below the endpoint's, and not the endpoint's own.
func serveResolver(args []string) error {
	if err := serveDNS(args[0], func(name string) string {
		label, found := strings.CutSuffix(name, "."+args[1]+".")
		if !found || label == "" || strings.Contains(label, ".") {
			return ""
		}
		return args[0]
	}); err != nil {
		return err
	}
	return untilInputEnds()
}

// serveDNS answers questions for addresses; "" is a name that does not exist.
func serveDNS(address string, find func(name string) string) error {
	socket, err := net.ListenPacket("udp4", net.JoinHostPort(address, "53"))
	if err != nil {
		return err
	}
	go func() {
		question := make([]byte, 1500)
		for {
			n, from, err := socket.ReadFrom(question)
			if err != nil {
				return
			}
			if answer, err := answerTo(question[:n], find); err == nil {
				_, _ = socket.WriteTo(answer, from) // whoever asked asks again
			}
		}
	}()
	return nil
}

func answerTo(packet []byte, find func(name string) string) ([]byte, error) {
	var m dnsmessage.Message
	if err := m.Unpack(packet); err != nil {
		return nil, err
	}
	if len(m.Questions) != 1 {
		return nil, errors.New("not one question")
	}
	q := m.Questions[0]
	m.Header = dnsmessage.Header{ID: m.ID, Response: true, Authoritative: true, RecursionDesired: m.RecursionDesired, RecursionAvailable: true}
	m.Additionals = nil
	// Clients write names in any case.
	address := find(strings.ToLower(q.Name.String()))
	switch {
	case address == "":
		m.RCode = dnsmessage.RCodeNameError
	case q.Type == dnsmessage.TypeA:
		m.Answers = []dnsmessage.Resource{{
			Header: dnsmessage.ResourceHeader{Name: q.Name, Class: dnsmessage.ClassINET, TTL: 1},
			Body:   &dnsmessage.AResource{A: [4]byte(net.ParseIP(address).To4())},
		}}
	}
	return m.Pack()
}

// reach is a program on a person's machine that talks to Vault by its name.
func reach(args []string) error {
	pem, err := os.ReadFile(args[0])
	if err != nil {
		return err
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	dialer := &tls.Dialer{
		NetDialer: &net.Dialer{Resolver: &net.Resolver{PreferGo: true}},
		Config:    &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12},
	}
	c, err := dialer.DialContext(ctx, "tcp", net.JoinHostPort(vaultName, vaultPort))
	if err != nil {
		return err
	}
	line, err := bufio.NewReader(c).ReadString('\n')
	if err != nil {
		return err
	}
	fmt.Print(line)
	return c.Close()
}
