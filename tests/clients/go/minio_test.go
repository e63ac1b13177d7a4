package main

import (
	"bytes"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/encrypt"
	"github.com/minio/minio-go/v7/pkg/tags"
)

func minioBucket(t *testing.T, settings settings) (*minio.Client, string) {
	t.Helper()
	client, err := newMinioClient(settings)
	must(t, err)
	must(t, client.MakeBucket(t.Context(), settings.bucket, minio.MakeBucketOptions{}))
	return client, settings.bucket
}

// postForm sends a form with a file as its last field, and gives the status.
func postForm(t *testing.T, url string, fields map[string]string, file string) int {
	t.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	for name, value := range fields {
		must(t, form.WriteField(name, value))
	}
	part, err := form.CreateFormFile("file", "note.txt")
	must(t, err)
	_, err = part.Write([]byte(file))
	must(t, err)
	must(t, form.Close())
	answer, err := http.Post(url, form.FormDataContentType(), &body)
	must(t, err)
	defer answer.Body.Close()
	if answer.StatusCode >= 400 {
		text, _ := io.ReadAll(answer.Body)
		t.Logf("%s", text)
	}
	return answer.StatusCode
}

func minioRead(t *testing.T, client *minio.Client, bucket, key string, options minio.GetObjectOptions, wanted []byte) {
	t.Helper()
	object, err := client.GetObject(t.Context(), bucket, key, options)
	must(t, err)
	defer object.Close()
	sameBytes(t, key, object, wanted)
}

func TestMinioObjects(t *testing.T) {
	onBoth(t, "minio-objects", func(t *testing.T, settings settings) {
		client, bucket := minioBucket(t, settings)
		there, err := client.BucketExists(t.Context(), bucket)
		must(t, err)
		equal(t, "there", there, true)
		key, body := "a b/ü+[1]&=#?.bin", randomBytes(12*mib)
		_, err = client.PutObject(t.Context(), bucket, key, bytes.NewReader(body[:100_000]), 100_000, minio.PutObjectOptions{
			ContentType: "application/x-thing", UserMetadata: map[string]string{"owner": "me"},
			UserTags: map[string]string{"colour": "red"},
		})
		must(t, err)
		stat, err := client.StatObject(t.Context(), bucket, key, minio.StatObjectOptions{})
		must(t, err)
		equal(t, "stat", fmt.Sprint(stat.Size, stat.ContentType, stat.UserMetadata, stat.UserTagCount),
			fmt.Sprint(100_000, "application/x-thing", map[string]string{"Owner": "me"}, 1))
		minioRead(t, client, bucket, key, minio.GetObjectOptions{}, body[:100_000])
		options := minio.GetObjectOptions{}
		must(t, options.SetRange(10, 19))
		minioRead(t, client, bucket, key, options, body[10:20])
		// A stream of unknown size goes up in parts.
		for _, length := range []int{0, 7, 12 * mib} {
			_, err = client.PutObject(t.Context(), bucket, "unknown", unseekable{bytes.NewReader(body[:length])}, -1,
				minio.PutObjectOptions{PartSize: 5 * mib})
			must(t, err)
			minioRead(t, client, bucket, "unknown", minio.GetObjectOptions{}, body[:length])
		}
		_, err = client.StatObject(t.Context(), bucket, "nothing", minio.StatObjectOptions{})
		equal(t, "code", minio.ToErrorResponse(err).Code, "NoSuchKey")
	})
}

func TestMinioChecksums(t *testing.T) {
	onBoth(t, "minio-checksums", func(t *testing.T, settings settings) {
		_, bucket := minioBucket(t, settings)
		client, err := newMinioClient(settings, func(options *minio.Options) { options.TrailingHeaders = true })
		must(t, err)
		body := randomBytes(11 * mib)
		for _, checksum := range []minio.ChecksumType{
			minio.ChecksumSHA256, minio.ChecksumSHA1, minio.ChecksumCRC32, minio.ChecksumCRC32C, minio.ChecksumCRC64NVME,
			minio.ChecksumFullObjectCRC32, minio.ChecksumFullObjectCRC32C,
		} {
			for _, length := range []int{1000, len(body)} {
				key := fmt.Sprint(checksum, length)
				_, err = client.PutObject(t.Context(), bucket, key, bytes.NewReader(body[:length]), int64(length),
					minio.PutObjectOptions{Checksum: checksum, PartSize: 5 * mib})
				must(t, err)
				minioRead(t, client, bucket, key, minio.GetObjectOptions{Checksum: true}, body[:length])
				attributes, err := client.GetObjectAttributes(t.Context(), bucket, key, minio.ObjectAttributesOptions{})
				must(t, err)
				if attributes.Checksum == (minio.ObjectAttributesResponse{}.Checksum) {
					t.Fatalf("%s: no checksum is kept", key)
				}
			}
		}
	})
}

func TestMinioFiles(t *testing.T) {
	onBoth(t, "minio-files", func(t *testing.T, settings settings) {
		client, bucket := minioBucket(t, settings)
		body, folder := randomBytes(17*mib+3), t.TempDir()
		up, down := filepath.Join(folder, "up"), filepath.Join(folder, "down")
		must(t, os.WriteFile(up, body, 0o600))
		for _, options := range []minio.PutObjectOptions{
			{}, {PartSize: 5 * mib}, {PartSize: 5 * mib, ConcurrentStreamParts: true, NumThreads: 3}, {DisableMultipart: true},
			{SendContentMd5: true, PartSize: 5 * mib},
		} {
			_, err := client.FPutObject(t.Context(), bucket, "file", up, options)
			must(t, err)
			must(t, client.FGetObject(t.Context(), bucket, "file", down, minio.GetObjectOptions{}))
			file, err := os.Open(down)
			must(t, err)
			sameBytes(t, "file", file, body)
			file.Close()
			must(t, os.Remove(down))
		}
		left := 0
		for range client.ListIncompleteUploads(t.Context(), bucket, "", true) {
			left++
		}
		equal(t, "uploads left", left, 0)
	})
}

func TestMinioCopies(t *testing.T) {
	onBoth(t, "minio-copies", func(t *testing.T, settings settings) {
		client, bucket := minioBucket(t, settings)
		pieces := [][]byte{randomBytes(5 * mib), randomBytes(5 * mib), randomBytes(9)}
		var sources []minio.CopySrcOptions
		for i, piece := range pieces {
			key := fmt.Sprintf("piece ü %d", i)
			_, err := client.PutObject(t.Context(), bucket, key, bytes.NewReader(piece), int64(len(piece)),
				minio.PutObjectOptions{UserMetadata: map[string]string{"of": "piece"}})
			must(t, err)
			sources = append(sources, minio.CopySrcOptions{Bucket: bucket, Object: key})
		}
		_, err := client.CopyObject(t.Context(), minio.CopyDestOptions{Bucket: bucket, Object: "copy"}, sources[2])
		must(t, err)
		minioRead(t, client, bucket, "copy", minio.GetObjectOptions{}, pieces[2])
		_, err = client.CopyObject(t.Context(), minio.CopyDestOptions{
			Bucket: bucket, Object: "copy", ReplaceMetadata: true, UserMetadata: map[string]string{"of": "copy"},
			ReplaceTags: true, UserTags: map[string]string{"new": "1"},
		}, sources[2])
		must(t, err)
		stat, err := client.StatObject(t.Context(), bucket, "copy", minio.StatObjectOptions{})
		must(t, err)
		equal(t, "metadata", stat.UserMetadata["Of"], "copy")
		_, err = client.ComposeObject(t.Context(), minio.CopyDestOptions{Bucket: bucket, Object: "composed"}, sources...)
		must(t, err)
		minioRead(t, client, bucket, "composed", minio.GetObjectOptions{}, bytes.Join(pieces, nil))
		attributes, err := client.GetObjectAttributes(t.Context(), bucket, "composed", minio.ObjectAttributesOptions{})
		must(t, err)
		equal(t, "attributes", fmt.Sprint(attributes.ObjectSize, attributes.ObjectParts.PartsCount), fmt.Sprint(10*mib+9, 3))
	})
}

func TestMinioListings(t *testing.T) {
	onBoth(t, "minio-listings", func(t *testing.T, settings settings) {
		client, bucket := minioBucket(t, settings)
		var keys []string
		for i := range 12 {
			keys = append(keys, fmt.Sprintf("list &+é/%02d", i))
			_, err := client.PutObject(t.Context(), bucket, keys[i], strings.NewReader("x"), 1, minio.PutObjectOptions{})
			must(t, err)
		}
		list := func(options minio.ListObjectsOptions) (found []string) {
			for object := range client.ListObjects(t.Context(), bucket, options) {
				must(t, object.Err)
				found = append(found, object.Key)
			}
			return found
		}
		equal(t, "all", list(minio.ListObjectsOptions{Recursive: true, MaxKeys: 5}), keys)
		equal(t, "version 1", list(minio.ListObjectsOptions{Recursive: true, MaxKeys: 5, UseV1: true}), keys)
		equal(t, "folders", list(minio.ListObjectsOptions{}), []string{"list &+é/"})
		objects := make(chan minio.ObjectInfo)
		go func() {
			defer close(objects)
			for _, key := range keys {
				objects <- minio.ObjectInfo{Key: key}
			}
		}()
		for failed := range client.RemoveObjects(t.Context(), bucket, objects, minio.RemoveObjectsOptions{}) {
			t.Fatal(failed.ObjectName, failed.Err)
		}
		equal(t, "left", len(list(minio.ListObjectsOptions{Recursive: true})), 0)
		must(t, client.RemoveBucket(t.Context(), bucket))
	})
}

func TestMinioPresigned(t *testing.T) {
	onBoth(t, "minio-presigned", func(t *testing.T, settings settings) {
		client, bucket := minioBucket(t, settings)
		put, err := client.PresignedPutObject(t.Context(), bucket, "a b", time.Minute)
		must(t, err)
		request, err := http.NewRequest("PUT", put.String(), strings.NewReader("by URL"))
		must(t, err)
		answer, err := http.DefaultClient.Do(request)
		must(t, err)
		answer.Body.Close()
		equal(t, "status", answer.StatusCode, 200)
		get, err := client.PresignedGetObject(t.Context(), bucket, "a b", time.Minute, nil)
		must(t, err)
		answer, err = http.Get(get.String())
		must(t, err)
		defer answer.Body.Close()
		sameBytes(t, "GET", answer.Body, []byte("by URL"))

		policy := minio.NewPostPolicy()
		must(t, policy.SetBucket(bucket))
		must(t, policy.SetKeyStartsWith("forms/"))
		must(t, policy.SetExpires(time.Now().Add(time.Minute)))
		must(t, policy.SetContentLengthRange(1, 100))
		must(t, policy.SetSuccessStatusAction("201"))
		must(t, policy.SetUserMetadata("owner", "me"))
		url, fields, err := client.PresignedPostPolicy(t.Context(), policy)
		must(t, err)
		fields["key"] = "forms/${filename}"
		equal(t, "form", postForm(t, url.String(), fields, "by form"), 201)
		minioRead(t, client, bucket, "forms/note.txt", minio.GetObjectOptions{}, []byte("by form"))
		equal(t, "too long", postForm(t, url.String(), fields, strings.Repeat("x", 101)), 400)
	})
}

func TestMinioTags(t *testing.T) {
	onBoth(t, "minio-tags", func(t *testing.T, settings settings) {
		client, bucket := minioBucket(t, settings)
		_, err := client.PutObject(t.Context(), bucket, "k", strings.NewReader("x"), 1, minio.PutObjectOptions{})
		must(t, err)
		wanted := map[string]string{"colour": "red", "size": "x l"}
		set, err := tags.NewTags(wanted, true)
		must(t, err)
		must(t, client.PutObjectTagging(t.Context(), bucket, "k", set, minio.PutObjectTaggingOptions{}))
		got, err := client.GetObjectTagging(t.Context(), bucket, "k", minio.GetObjectTaggingOptions{})
		must(t, err)
		equal(t, "tags", got.ToMap(), wanted)
		must(t, client.RemoveObjectTagging(t.Context(), bucket, "k", minio.RemoveObjectTaggingOptions{}))
		must(t, client.SetBucketTagging(t.Context(), bucket, set))
		got, err = client.GetBucketTagging(t.Context(), bucket)
		must(t, err)
		equal(t, "tags of the bucket", got.ToMap(), wanted)
		must(t, client.RemoveBucketTagging(t.Context(), bucket))
		_, err = client.GetBucketTagging(t.Context(), bucket)
		equal(t, "code", minio.ToErrorResponse(err).Code, "NoSuchTagSet")
	})
}

func TestMinioVersions(t *testing.T) {
	onBoth(t, "minio-versions", func(t *testing.T, settings settings) {
		client, bucket := minioBucket(t, settings)
		must(t, client.EnableVersioning(t.Context(), bucket))
		configuration, err := client.GetBucketVersioning(t.Context(), bucket)
		must(t, err)
		equal(t, "enabled", configuration.Enabled(), true)
		first, err := client.PutObject(t.Context(), bucket, "k", strings.NewReader("one"), 3, minio.PutObjectOptions{})
		must(t, err)
		_, err = client.PutObject(t.Context(), bucket, "k", strings.NewReader("two"), 3, minio.PutObjectOptions{})
		must(t, err)
		minioRead(t, client, bucket, "k", minio.GetObjectOptions{VersionID: first.VersionID}, []byte("one"))
		must(t, client.RemoveObject(t.Context(), bucket, "k", minio.RemoveObjectOptions{}))
		var seen []string
		for object := range client.ListObjects(t.Context(), bucket, minio.ListObjectsOptions{WithVersions: true, Recursive: true}) {
			must(t, object.Err)
			seen = append(seen, fmt.Sprintf("%v %v", object.IsDeleteMarker, object.IsLatest))
			must(t, client.RemoveObject(t.Context(), bucket, "k", minio.RemoveObjectOptions{VersionID: object.VersionID}))
		}
		equal(t, "versions", seen, []string{"true true", "false false", "false false"})
		must(t, client.SuspendVersioning(t.Context(), bucket))
		must(t, client.RemoveBucket(t.Context(), bucket))
	})
}

// What the store does not do is said so, and never taken for done.
func TestMinioEncryptionIsRefused(t *testing.T) {
	onBoth(t, "minio-encryption", func(t *testing.T, settings settings) {
		client, bucket := minioBucket(t, settings)
		_, err := client.PutObject(t.Context(), bucket, "k", strings.NewReader("x"), 1,
			minio.PutObjectOptions{ServerSideEncryption: encrypt.NewSSE()})
		equal(t, "code", minio.ToErrorResponse(err).Code, "NotImplemented")
	})
}
