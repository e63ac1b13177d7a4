/* regions.c - names of regions. */
#include "s3/bucket.h"

/* "eu-west-1": words of lower-case letters, two at least, and a number, as AWS names its regions.
 */
bool lst_bucket_is_region(struct lst_slice name)
{
    struct lst_slice part;
    size_t words = 0;
    bool is_number = false;

    if (lst_slice_equal(name, LST_SLICE("EU"))) {
        return true;
    }
    while (lst_slice_split(&name, '-', &part)) {
        uint64_t number;
        if (is_number || part.length == 0) {
            return false;
        }
        is_number = lst_slice_to_number(part, 99, &number);
        for (size_t i = 0; i < part.length && !is_number; i++) {
            if (part.bytes[i] < 'a' || part.bytes[i] > 'z') {
                return false;
            }
        }
        words += is_number ? 0 : 1;
    }
    return is_number && words >= 2;
}

bool lst_bucket_is_aws_region(struct lst_slice name)
{
    static const char *const regions[] = {
        "af-south-1",     "ap-east-1",      "ap-east-2",      "ap-northeast-1", "ap-northeast-2",
        "ap-northeast-3", "ap-south-1",     "ap-south-2",     "ap-southeast-1", "ap-southeast-2",
        "ap-southeast-3", "ap-southeast-4", "ap-southeast-5", "ap-southeast-6", "ap-southeast-7",
        "ca-central-1",   "ca-west-1",      "cn-north-1",     "cn-northwest-1", "eu-central-1",
        "eu-central-2",   "eu-north-1",     "eu-south-1",     "eu-south-2",     "eu-west-1",
        "eu-west-2",      "eu-west-3",      "eusc-de-east-1", "il-central-1",   "me-central-1",
        "me-south-1",     "mx-central-1",   "sa-east-1",      "us-east-1",      "us-east-2",
        "us-gov-east-1",  "us-gov-west-1",  "us-west-1",      "us-west-2",
    };

    for (size_t i = 0; i < sizeof(regions) / sizeof(regions[0]); i++) {
        if (lst_slice_equal(name, lst_slice_of(regions[i]))) {
            return true;
        }
    }
    return false;
}
