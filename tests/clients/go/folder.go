// Put or get a folder with the AWS SDK for Go or with MinIO's Go client: a folder goes up under a
// prefix, or comes down.
//
// Usage: folder aws-put|aws-get|minio-put|minio-get FOLDER, with LST_ENDPOINT, LST_BUCKET, LST_PREFIX
// (may be empty), AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment, and SSL_CERT_FILE
// for an authority of one's own. Folders are not kept, only files.
package main

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
)

const atOnce = 8

// transfer is what each client has to be able to do.
type transfer interface {
	putFile(ctx context.Context, key, path string) error
	getFile(ctx context.Context, key, path string) error
	// listKeys calls yield with each key under the prefix, until it fails.
	listKeys(ctx context.Context, prefix string, yield func(key string) error) error
}

// settings say where the store is, and who asks.
type settings struct {
	endpoint, bucket, prefix, accessKey, secretKey string
}

func readSettings() settings {
	return settings{
		endpoint:  os.Getenv("LST_ENDPOINT"),
		bucket:    os.Getenv("LST_BUCKET"),
		prefix:    os.Getenv("LST_PREFIX"),
		accessKey: os.Getenv("AWS_ACCESS_KEY_ID"),
		secretKey: os.Getenv("AWS_SECRET_ACCESS_KEY"),
	}
}

// workers runs work for each item that produce sends, atOnce at a time, and gives the first error.
func workers(ctx context.Context, produce func(ctx context.Context, send func(string) error) error,
	work func(ctx context.Context, item string) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	items := make(chan string)
	var group sync.WaitGroup
	for range atOnce {
		group.Go(func() {
			for item := range items {
				if err := work(ctx, item); err != nil {
					cancel(fmt.Errorf("%q: %w", item, err))
				}
			}
		})
	}
	err := produce(ctx, func(item string) error {
		select {
		case items <- item:
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	})
	close(items)
	group.Wait()
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	return err
}

func putFolder(ctx context.Context, client transfer, prefix, folder string) error {
	walk := func(_ context.Context, send func(string) error) error {
		return filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
			if err != nil || !entry.Type().IsRegular() {
				return err
			}
			return send(path)
		})
	}
	return workers(ctx, walk, func(ctx context.Context, path string) error {
		name, err := filepath.Rel(folder, path)
		if err != nil {
			return err
		}
		return client.putFile(ctx, prefix+name, path)
	})
}

func getFolder(ctx context.Context, client transfer, prefix, folder string) error {
	list := func(ctx context.Context, send func(string) error) error {
		return client.listKeys(ctx, prefix, send)
	}
	return workers(ctx, list, func(ctx context.Context, key string) error {
		path := filepath.Join(folder, strings.TrimPrefix(key, prefix))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		return client.getFile(ctx, key, path)
	})
}

func run(arguments []string) error {
	if len(arguments) != 2 {
		return fmt.Errorf("usage: folder aws-put|aws-get|minio-put|minio-get FOLDER")
	}
	settings := readSettings()
	name, verb, _ := strings.Cut(arguments[0], "-")
	var client transfer
	var err error
	switch name {
	case "aws":
		client = newAWSTransfer(settings)
	case "minio":
		client, err = newMinioTransfer(settings)
	default:
		err = fmt.Errorf("no client %q", name)
	}
	if err != nil {
		return err
	}
	switch verb {
	case "put":
		return putFolder(context.Background(), client, settings.prefix, arguments[1])
	case "get":
		return getFolder(context.Background(), client, settings.prefix, arguments[1])
	}
	return fmt.Errorf("no verb %q", verb)
}

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
