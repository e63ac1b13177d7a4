package main

import (
	"bytes"
	"context"
	"crypto/md5"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/feature/s3/manager"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"
)

// awsBucket makes the bucket of a test.
func awsBucket(t *testing.T, settings settings) (*s3.Client, *string) {
	t.Helper()
	client := newAWSClient(settings)
	_, err := client.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: &settings.bucket})
	must(t, err)
	return client, &settings.bucket
}

func failsWith(t *testing.T, code string, err error) {
	t.Helper()
	var known smithy.APIError
	if !errors.As(err, &known) || known.ErrorCode() != code {
		t.Fatalf("%v, not %s", err, code)
	}
}

func awsRead(t *testing.T, client *s3.Client, input *s3.GetObjectInput, wanted []byte) *s3.GetObjectOutput {
	t.Helper()
	got, err := client.GetObject(t.Context(), input)
	must(t, err)
	defer got.Body.Close()
	sameBytes(t, *input.Key, got.Body, wanted)
	return got
}

func TestAWSObjects(t *testing.T) {
	onBoth(t, "go-objects", func(t *testing.T, settings settings) {
		client, bucket := awsBucket(t, settings)
		key, body := aws.String("a b/ü+[1]&=#?.bin"), randomBytes(300_000)
		put, err := client.PutObject(t.Context(), &s3.PutObjectInput{
			Bucket: bucket, Key: key, Body: bytes.NewReader(body), ContentType: aws.String("application/x-thing"),
			Metadata: map[string]string{"owner": "me"},
		})
		must(t, err)
		equal(t, "ETag", *put.ETag, fmt.Sprintf(`"%x"`, md5.Sum(body)))
		got := awsRead(t, client, &s3.GetObjectInput{Bucket: bucket, Key: key}, body)
		equal(t, "type", *got.ContentType, "application/x-thing")
		equal(t, "metadata", got.Metadata, map[string]string{"owner": "me"})
		part := &s3.GetObjectInput{Bucket: bucket, Key: key, Range: aws.String("bytes=10-19")}
		awsRead(t, client, part, body[10:20])
		_, err = client.GetObject(t.Context(), &s3.GetObjectInput{Bucket: bucket, Key: aws.String("nothing")})
		failsWith(t, "NoSuchKey", err)
		_, err = client.HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: bucket, Key: aws.String("nothing")})
		failsWith(t, "NotFound", err)
		_, err = client.PutObject(t.Context(), &s3.PutObjectInput{Bucket: bucket, Key: key, IfNoneMatch: aws.String("*")})
		failsWith(t, "PreconditionFailed", err)
	})
}

func TestAWSChecksums(t *testing.T) {
	onBoth(t, "go-checksums", func(t *testing.T, settings settings) {
		client, bucket := awsBucket(t, settings)
		for _, algorithm := range []types.ChecksumAlgorithm{
			types.ChecksumAlgorithmCrc32, types.ChecksumAlgorithmCrc32c, types.ChecksumAlgorithmCrc64nvme,
			types.ChecksumAlgorithmSha1, types.ChecksumAlgorithmSha256,
		} {
			body, key := randomBytes(100_000), aws.String(string(algorithm))
			_, err := client.PutObject(t.Context(), &s3.PutObjectInput{
				Bucket: bucket, Key: key, Body: bytes.NewReader(body), ChecksumAlgorithm: algorithm,
			})
			must(t, err)
			// The SDK itself checks what comes back against what the answer declares.
			got := awsRead(t, client, &s3.GetObjectInput{
				Bucket: bucket, Key: key, ChecksumMode: types.ChecksumModeEnabled,
			}, body)
			equal(t, "type", got.ChecksumType, types.ChecksumTypeFullObject)
			attributes, err := client.GetObjectAttributes(t.Context(), &s3.GetObjectAttributesInput{
				Bucket: bucket, Key: key,
				ObjectAttributes: []types.ObjectAttributes{types.ObjectAttributesChecksum, types.ObjectAttributesObjectSize},
			})
			must(t, err)
			equal(t, "size", *attributes.ObjectSize, len(body))
			if algorithm == types.ChecksumAlgorithmSha256 {
				sum := sha256.Sum256(body)
				equal(t, "SHA256", *attributes.Checksum.ChecksumSHA256, base64.StdEncoding.EncodeToString(sum[:]))
			}
		}
		_, err := client.PutObject(t.Context(), &s3.PutObjectInput{
			Bucket: bucket, Key: aws.String("wrong"), Body: strings.NewReader("x"), ChecksumCRC32: aws.String("AAAAAA=="),
		})
		failsWith(t, "BadDigest", err)
		_, err = client.HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: bucket, Key: aws.String("wrong")})
		failsWith(t, "NotFound", err)
	})
}

// An unseekable stream has its checksum in a trailer, which the SDK does over https alone.
func TestAWSUnseekableStream(t *testing.T) {
	onBoth(t, "go-unseekable", func(t *testing.T, settings settings) {
		client, bucket := awsBucket(t, settings)
		body, key := randomBytes(200_001), aws.String("stream")
		put, err := client.PutObject(t.Context(), &s3.PutObjectInput{
			Bucket: bucket, Key: key, Body: unseekable{bytes.NewReader(body)}, ContentLength: aws.Int64(int64(len(body))),
		})
		if strings.HasPrefix(settings.endpoint, "http:") {
			if err == nil || !strings.Contains(err.Error(), "seekable") {
				t.Fatal(err)
			}
			return
		}
		must(t, err)
		equal(t, "ETag", *put.ETag, fmt.Sprintf(`"%x"`, md5.Sum(body)))
		got := awsRead(t, client, &s3.GetObjectInput{Bucket: bucket, Key: key, ChecksumMode: types.ChecksumModeEnabled}, body)
		var sum [4]byte
		for i, value := 0, crc32.ChecksumIEEE(body); i < 4; i++ {
			sum[i] = byte(value >> (24 - 8*i))
		}
		equal(t, "CRC32", aws.ToString(got.ChecksumCRC32), base64.StdEncoding.EncodeToString(sum[:]))
		equal(t, "encoding", aws.ToString(got.ContentEncoding), "")
	})
}

func TestAWSManager(t *testing.T) {
	onBoth(t, "go-manager", func(t *testing.T, settings settings) {
		client, bucket := awsBucket(t, settings)
		body, key := randomBytes(12*mib+1), aws.String("large")
		uploader := manager.NewUploader(client)
		for what, reader := range map[string]io.Reader{
			"seekable": bytes.NewReader(body), "unseekable": unseekable{bytes.NewReader(body)},
		} {
			done, err := uploader.Upload(t.Context(), &s3.PutObjectInput{Bucket: bucket, Key: key, Body: reader})
			must(t, err)
			if !strings.HasSuffix(aws.ToString(done.ETag), `-3"`) || len(done.CompletedParts) != 3 {
				t.Fatalf("%s: %s, %d parts", what, *done.ETag, len(done.CompletedParts))
			}
			path := filepath.Join(t.TempDir(), "down")
			file, err := os.Create(path)
			must(t, err)
			defer file.Close()
			length, err := manager.NewDownloader(client).Download(t.Context(), file, &s3.GetObjectInput{Bucket: bucket, Key: key})
			must(t, err)
			equal(t, "length", length, len(body))
			sameBytes(t, what, file, body)
		}
		for _, length := range []int{0, 1, 5 * mib} {
			small := randomBytes(length)
			_, err := uploader.Upload(t.Context(), &s3.PutObjectInput{Bucket: bucket, Key: key, Body: unseekable{bytes.NewReader(small)}})
			must(t, err)
			awsRead(t, client, &s3.GetObjectInput{Bucket: bucket, Key: key}, small)
		}
		broken := io.MultiReader(bytes.NewReader(body[:6*mib]), unseekable{failing{}})
		_, err := uploader.Upload(t.Context(), &s3.PutObjectInput{Bucket: bucket, Key: aws.String("broken"), Body: broken})
		if err == nil || !strings.Contains(err.Error(), "the disk is gone") {
			t.Fatal(err)
		}
		left, err := client.ListMultipartUploads(t.Context(), &s3.ListMultipartUploadsInput{Bucket: bucket})
		must(t, err)
		equal(t, "uploads left", len(left.Uploads), 0)
	})
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, errors.New("the disk is gone") }

func TestAWSListings(t *testing.T) {
	onBoth(t, "go-listings", func(t *testing.T, settings settings) {
		client, bucket := awsBucket(t, settings)
		var keys []string
		var identifiers []types.ObjectIdentifier
		for i := range 25 {
			key := fmt.Sprintf("page &+é/%03d", i)
			keys = append(keys, key)
			identifiers = append(identifiers, types.ObjectIdentifier{Key: &key})
			_, err := client.PutObject(t.Context(), &s3.PutObjectInput{Bucket: bucket, Key: &key, Body: strings.NewReader(key)})
			must(t, err)
		}
		var seen []string
		pages := s3.NewListObjectsV2Paginator(client, &s3.ListObjectsV2Input{Bucket: bucket, MaxKeys: aws.Int32(10)})
		for pages.HasMorePages() {
			page, err := pages.NextPage(t.Context())
			must(t, err)
			for _, object := range page.Contents {
				seen = append(seen, *object.Key)
			}
		}
		equal(t, "keys", seen, keys)
		folders, err := client.ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: bucket, Delimiter: aws.String("/")})
		must(t, err)
		equal(t, "folder", *folders.CommonPrefixes[0].Prefix, "page &+é/")
		removed, err := client.DeleteObjects(t.Context(), &s3.DeleteObjectsInput{
			Bucket: bucket, Delete: &types.Delete{Objects: identifiers},
		})
		must(t, err)
		equal(t, "removed", len(removed.Deleted), len(keys))
	})
}

func TestAWSPresigned(t *testing.T) {
	onBoth(t, "go-presigned", func(t *testing.T, settings settings) {
		client, bucket := awsBucket(t, settings)
		key, presigner := aws.String("signed/a b"), s3.NewPresignClient(client)
		send := func(signed *v4.PresignedHTTPRequest, body string) (int, string) {
			request, err := http.NewRequest(signed.Method, signed.URL, strings.NewReader(body))
			must(t, err)
			request.Header = signed.SignedHeader
			request.ContentLength = int64(len(body))
			answer, err := http.DefaultClient.Do(request)
			must(t, err)
			defer answer.Body.Close()
			text, err := io.ReadAll(answer.Body)
			must(t, err)
			return answer.StatusCode, string(text)
		}
		put, err := presigner.PresignPutObject(t.Context(), &s3.PutObjectInput{Bucket: bucket, Key: key}, s3.WithPresignExpires(time.Minute))
		must(t, err)
		status, text := send(put, "by URL")
		equal(t, "PUT "+text, status, 200)
		get, err := presigner.PresignGetObject(t.Context(), &s3.GetObjectInput{Bucket: bucket, Key: key})
		must(t, err)
		status, text = send(get, "")
		equal(t, "GET", fmt.Sprint(status, text), "200by URL")
		form, err := presigner.PresignPostObject(t.Context(), &s3.PutObjectInput{Bucket: bucket, Key: aws.String("posted")})
		must(t, err)
		equal(t, "form", postForm(t, form.URL, form.Values, "by form"), 204)
		awsRead(t, client, &s3.GetObjectInput{Bucket: bucket, Key: aws.String("posted")}, []byte("by form"))
		upload, err := client.CreateMultipartUpload(t.Context(), &s3.CreateMultipartUploadInput{Bucket: bucket, Key: key})
		must(t, err)
		part, err := presigner.PresignUploadPart(t.Context(), &s3.UploadPartInput{
			Bucket: bucket, Key: key, UploadId: upload.UploadId, PartNumber: aws.Int32(1),
		})
		must(t, err)
		status, text = send(part, "a part")
		equal(t, "part "+text, status, 200)
		_, err = client.AbortMultipartUpload(t.Context(), &s3.AbortMultipartUploadInput{Bucket: bucket, Key: key, UploadId: upload.UploadId})
		must(t, err)
	})
}

func TestAWSWaiters(t *testing.T) {
	settings := settings{endpoint: endpoints["http"], accessKey: accessKey, secretKey: secretKey}
	client, bucket, key := newAWSClient(settings), aws.String("go-waiters"), aws.String("k")
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	ready := make(chan error)
	go func() {
		ready <- s3.NewBucketExistsWaiter(client, func(options *s3.BucketExistsWaiterOptions) {
			options.MinDelay = 50 * time.Millisecond
		}).Wait(ctx, &s3.HeadBucketInput{Bucket: bucket}, 20*time.Second)
	}()
	_, err := client.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: bucket})
	must(t, err)
	must(t, <-ready)
	_, err = client.PutObject(ctx, &s3.PutObjectInput{Bucket: bucket, Key: key})
	must(t, err)
	must(t, s3.NewObjectExistsWaiter(client).Wait(ctx, &s3.HeadObjectInput{Bucket: bucket, Key: key}, 10*time.Second))
	_, err = client.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: bucket, Key: key})
	must(t, err)
	must(t, s3.NewObjectNotExistsWaiter(client).Wait(ctx, &s3.HeadObjectInput{Bucket: bucket, Key: key}, 10*time.Second))
	_, err = client.DeleteBucket(ctx, &s3.DeleteBucketInput{Bucket: bucket})
	must(t, err)
	must(t, s3.NewBucketNotExistsWaiter(client).Wait(ctx, &s3.HeadBucketInput{Bucket: bucket}, 10*time.Second))
}

func TestAWSCopies(t *testing.T) {
	onBoth(t, "go-copies", func(t *testing.T, settings settings) {
		client, bucket := awsBucket(t, settings)
		_, err := client.PutObject(t.Context(), &s3.PutObjectInput{
			Bucket: bucket, Key: aws.String("source ü"), Body: strings.NewReader("words"), Tagging: aws.String("a=1"),
			Metadata: map[string]string{"of": "source"},
		})
		must(t, err)
		copied, err := client.CopyObject(t.Context(), &s3.CopyObjectInput{
			Bucket: bucket, Key: aws.String("copy"), CopySource: aws.String(*bucket + "/source%20%C3%BC"),
		})
		must(t, err)
		equal(t, "ETag", *copied.CopyObjectResult.ETag, fmt.Sprintf(`"%x"`, md5.Sum([]byte("words"))))
		got := awsRead(t, client, &s3.GetObjectInput{Bucket: bucket, Key: aws.String("copy")}, []byte("words"))
		equal(t, "metadata", got.Metadata["of"], "source")
		equal(t, "tags", aws.ToInt32(got.TagCount), 1)
		_, err = client.CopyObject(t.Context(), &s3.CopyObjectInput{
			Bucket: bucket, Key: aws.String("copy"), CopySource: aws.String(*bucket + "/nothing"),
		})
		failsWith(t, "NoSuchKey", err)
	})
}

func TestAWSVersions(t *testing.T) {
	onBoth(t, "go-versions", func(t *testing.T, settings settings) {
		client, bucket := awsBucket(t, settings)
		_, err := client.PutBucketVersioning(t.Context(), &s3.PutBucketVersioningInput{
			Bucket: bucket, VersioningConfiguration: &types.VersioningConfiguration{Status: types.BucketVersioningStatusEnabled},
		})
		must(t, err)
		key := aws.String("k")
		var versions []string
		for _, text := range []string{"one", "two", "three"} {
			put, err := client.PutObject(t.Context(), &s3.PutObjectInput{Bucket: bucket, Key: key, Body: strings.NewReader(text)})
			must(t, err)
			versions = append([]string{aws.ToString(put.VersionId)}, versions...)
		}
		awsRead(t, client, &s3.GetObjectInput{Bucket: bucket, Key: key, VersionId: &versions[2]}, []byte("one"))
		var seen []string
		pages := s3.NewListObjectVersionsPaginator(client, &s3.ListObjectVersionsInput{Bucket: bucket, MaxKeys: aws.Int32(2)})
		for pages.HasMorePages() {
			page, err := pages.NextPage(t.Context())
			must(t, err)
			for _, version := range page.Versions {
				seen = append(seen, *version.VersionId)
			}
		}
		equal(t, "versions", seen, versions)
		gone, err := client.DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: bucket, Key: key})
		must(t, err)
		equal(t, "marker", aws.ToBool(gone.DeleteMarker), true)
		_, err = client.GetObject(t.Context(), &s3.GetObjectInput{Bucket: bucket, Key: key})
		failsWith(t, "NoSuchKey", err)
		_, err = client.DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: bucket, Key: key, VersionId: gone.VersionId})
		must(t, err)
		awsRead(t, client, &s3.GetObjectInput{Bucket: bucket, Key: key}, []byte("three"))
	})
}
