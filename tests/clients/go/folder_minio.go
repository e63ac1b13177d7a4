package main

import (
	"context"
	"io"
	"net/url"
	"os"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
)

type minioTransfer struct {
	client *minio.Client
	bucket string
}

func newMinioClient(settings settings, change ...func(*minio.Options)) (*minio.Client, error) {
	endpoint, err := url.Parse(settings.endpoint)
	if err != nil {
		return nil, err
	}
	options := &minio.Options{
		Creds:  credentials.NewStaticV4(settings.accessKey, settings.secretKey, ""),
		Secure: endpoint.Scheme == "https",
	}
	for _, apply := range change {
		apply(options)
	}
	return minio.New(endpoint.Host, options)
}

func newMinioTransfer(settings settings) (*minioTransfer, error) {
	client, err := newMinioClient(settings)
	if err != nil {
		return nil, err
	}
	return &minioTransfer{client, settings.bucket}, nil
}

func (t *minioTransfer) putFile(ctx context.Context, key, path string) error {
	_, err := t.client.FPutObject(ctx, t.bucket, key, path, minio.PutObjectOptions{})
	return err
}

func (t *minioTransfer) getFile(ctx context.Context, key, path string) error {
	// Not FGetObject: the name of its temporary file is too long when the file's own is long.
	object, err := t.client.GetObject(ctx, t.bucket, key, minio.GetObjectOptions{})
	if err != nil {
		return err
	}
	defer object.Close()
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	if _, err = io.Copy(file, object); err != nil {
		file.Close()
		return err
	}
	return file.Close()
}

func (t *minioTransfer) listKeys(ctx context.Context, prefix string, yield func(string) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	options := minio.ListObjectsOptions{Prefix: prefix, Recursive: true}
	for object := range t.client.ListObjects(ctx, t.bucket, options) {
		if object.Err != nil {
			return object.Err
		}
		if err := yield(object.Key); err != nil {
			return err
		}
	}
	return nil
}
