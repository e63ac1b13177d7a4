package main

import (
	"bufio"
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"syscall"
	"testing"
	"time"
)

const (
	accessKey = "AKIAIOSFODNN7EXAMPLE"
	secretKey = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
	mib       = 1 << 20
)

// endpoints are those of two running servers, by scheme; see TestMain.
var endpoints = map[string]string{}

// onBoth runs a test against the server over http and the one over https, each in a bucket.
func onBoth(t *testing.T, bucket string, test func(t *testing.T, settings settings)) {
	for _, scheme := range []string{"http", "https"} {
		t.Run(scheme, func(t *testing.T) {
			test(t, settings{endpoint: endpoints[scheme], bucket: bucket, accessKey: accessKey, secretKey: secretKey})
		})
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func equal(t *testing.T, what string, got, wanted any) {
	t.Helper()
	if fmt.Sprint(got) != fmt.Sprint(wanted) {
		t.Fatalf("%s: %v, not %v", what, got, wanted)
	}
}

func randomBytes(length int) []byte {
	bytes := make([]byte, length)
	_, _ = rand.Read(bytes) // It never fails.
	return bytes
}

func sameBytes(t *testing.T, what string, got io.Reader, wanted []byte) {
	t.Helper()
	content, err := io.ReadAll(got)
	must(t, err)
	if !bytes.Equal(content, wanted) {
		t.Fatalf("%s: %d other bytes, not the %d that were put", what, len(content), len(wanted))
	}
}

// unseekable hides everything of a reader but Read, as a pipe or a request's body does.
type unseekable struct{ io.Reader }

// certificate makes one signed by parent, or by itself, and writes it and its key as PEM.
func certificate(template, parent *x509.Certificate, signer *ecdsa.PrivateKey, path, keyPath string) (*ecdsa.PrivateKey, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	if signer == nil {
		signer = key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, signer)
	if err != nil {
		return nil, err
	}
	keyBytes, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	for path, block := range map[string]*pem.Block{
		path:    {Type: "CERTIFICATE", Bytes: der},
		keyPath: {Type: "PRIVATE KEY", Bytes: keyBytes},
	} {
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			return nil, err
		}
	}
	return key, nil
}

// makeAuthority writes ca.pem, and cert.pem and key.pem of a server on this machine.
func makeAuthority(folder string) error {
	begin, end := time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	authority := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "A private authority"}, NotBefore: begin,
		NotAfter: end, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	server := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "localhost"}, NotBefore: begin, NotAfter: end,
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	in := func(name string) string { return filepath.Join(folder, name) }
	key, err := certificate(authority, authority, nil, in("ca.pem"), in("ca.key"))
	if err != nil {
		return err
	}
	_, err = certificate(server, authority, key, in("cert.pem"), in("key.pem"))
	return err
}

// startServer gives the endpoint and a function that ends the server and says how it ended.
func startServer(data string, options ...string) (string, func() error, error) {
	command := exec.Command(os.Getenv("LST_BINARY"),
		append([]string{"serve", "--data", data, "--listen", "127.0.0.1:0", "--access-log", "off"}, options...)...)
	command.Env = append(os.Environ(), "LATCHSTRING_ACCESS_KEY="+accessKey, "LATCHSTRING_SECRET_KEY="+secretKey)
	output, write, err := os.Pipe()
	if err != nil {
		return "", nil, err
	}
	command.Stdout, command.Stderr = write, write
	err = command.Start()
	write.Close()
	if err != nil {
		return "", nil, err
	}
	stop := func() error {
		_ = command.Process.Signal(syscall.SIGTERM) // Wait says if it had ended before.
		return command.Wait()
	}
	lines := bufio.NewReader(output)
	for said := ""; ; {
		line, err := lines.ReadString('\n')
		said += line
		if match := regexp.MustCompile(`Listening +(\S+:\d+)\n`).FindStringSubmatch(line); match != nil {
			go io.Copy(os.Stderr, lines) // A sanitizer's report, for example.
			return match[1], stop, nil
		}
		if err != nil {
			return "", nil, fmt.Errorf("the server did not start: %w\n%s", stop(), said)
		}
	}
}

func runTests(m *testing.M) (int, error) {
	folder, err := os.MkdirTemp("", "clients-")
	if err != nil {
		return 1, err
	}
	defer os.RemoveAll(folder)
	in := func(name string) string { return filepath.Join(folder, name) }
	if err := makeAuthority(folder); err != nil {
		return 1, err
	}
	os.Setenv("SSL_CERT_FILE", in("ca.pem")) // Go reads it at the first connection.
	var stops []func() error
	for scheme, options := range map[string][]string{
		"http": nil, "https": {"--tls-cert", in("cert.pem"), "--tls-key", in("key.pem")},
	} {
		address, stop, err := startServer(in(scheme), options...)
		if err != nil {
			return 1, err
		}
		stops = append(stops, stop)
		endpoints[scheme] = scheme + "://" + address
	}
	status := m.Run()
	for _, stop := range stops {
		if err := stop(); err != nil {
			return 1, fmt.Errorf("the server ended with %w", err)
		}
	}
	return status, nil
}

func TestMain(m *testing.M) {
	status, err := runTests(m)
	if err != nil {
		fmt.Println("--- FAIL:", err)
	}
	os.Exit(status)
}
