package main

import (
	"context"
	"net/url"
	"os"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/feature/s3/manager"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

type awsTransfer struct {
	client     *s3.Client
	uploader   *manager.Uploader
	downloader *manager.Downloader
	bucket     *string
}

// newAWSClient makes a client as people make one for a store of their own.
func newAWSClient(settings settings, change ...func(*s3.Options)) *s3.Client {
	return s3.New(s3.Options{
		BaseEndpoint: aws.String(settings.endpoint),
		Region:       "us-east-1",
		UsePathStyle: true,
		Credentials:  credentials.NewStaticCredentialsProvider(settings.accessKey, settings.secretKey, ""),
		// What config.LoadDefaultConfig sets where nothing else is said.
		RequestChecksumCalculation: aws.RequestChecksumCalculationWhenSupported,
		ResponseChecksumValidation: aws.ResponseChecksumValidationWhenSupported,
	}, change...)
}

func newAWSTransfer(settings settings) *awsTransfer {
	client := newAWSClient(settings)
	return &awsTransfer{
		client:     client,
		uploader:   manager.NewUploader(client),
		downloader: manager.NewDownloader(client),
		bucket:     aws.String(settings.bucket),
	}
}

func (t *awsTransfer) putFile(ctx context.Context, key, path string) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	_, err = t.uploader.Upload(ctx, &s3.PutObjectInput{Bucket: t.bucket, Key: &key, Body: file})
	return err
}

func (t *awsTransfer) getFile(ctx context.Context, key, path string) error {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	if _, err = t.downloader.Download(ctx, file, &s3.GetObjectInput{Bucket: t.bucket, Key: &key}); err != nil {
		file.Close()
		return err
	}
	return file.Close()
}

func (t *awsTransfer) listKeys(ctx context.Context, prefix string, yield func(string) error) error {
	pages := s3.NewListObjectsV2Paginator(t.client, &s3.ListObjectsV2Input{
		Bucket: t.bucket, Prefix: &prefix,
		EncodingType: types.EncodingTypeUrl, // Go's XML reader refuses the control characters of other keys.
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return err
		}
		for _, object := range page.Contents {
			key, err := url.QueryUnescape(*object.Key)
			if err == nil {
				err = yield(key)
			}
			if err != nil {
				return err
			}
		}
	}
	return nil
}
