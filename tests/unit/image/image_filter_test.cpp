#include "image/image_filter.hpp"

#include <catch2/catch.hpp>

using sbx::ErrorCode;
using sbx::image::ImageFilter;
using sbx::image::ImageStore;
using sbx::image::parse_until;
using sbx::image::StoredImage;

namespace {

constexpr std::int64_t kNow = 1700000000;

sbx::Result<ImageFilter> parse(const std::vector<std::string>& words) {
  return ImageFilter::parse(words, ImageStore::open("/no/such/root").value(), kNow);
}

StoredImage image(std::vector<std::string> names, std::string created = "2023-11-14T00:00:00Z") {
  StoredImage out;
  out.names = std::move(names);
  out.config.created = std::move(created);
  out.config.labels = {{"kind", "small"}, {"empty", ""}};
  return out;
}

bool accepts(const std::vector<std::string>& words, const StoredImage& tried) {
  const auto filter = parse(words);
  REQUIRE(filter);
  return filter->accepts(tried);
}

}  // namespace

TEST_CASE("times and ages") {
  CHECK(parse_until("1234", kNow).value() == 1234);
  CHECK(parse_until("24h", kNow).value() == kNow - 86400);
  CHECK(parse_until("1h30m5s", kNow).value() == kNow - 5405);
  CHECK(parse_until("2023-11-14T22:13:20Z", kNow).value() == kNow);
  for (const char* text : {"", "yesterday", "24", "h", "3d", "-5h", "1h30", "99999999999h"}) {
    const auto time = parse_until(text, kNow);
    CHECK((time.has_value() ? std::string(text) == "24"
                            : time.error().code == ErrorCode::kInvalidArgument));
  }
}

TEST_CASE("names by pattern, short and full, with and without a tag") {
  const StoredImage busybox = image({"docker.io/library/busybox:1.36"});
  for (const char* pattern : {"busybox", "busybox:1.36", "busy*", "*:1.36", "docker.io/*/*:1.*",
                              "docker.io/library/busybox", "busybox:*"}) {
    INFO(pattern);
    CHECK(accepts({std::string("reference=") + pattern}, busybox));
  }
  for (const char* pattern : {"busy", "busybox:1", "docker.io/*", "*/busybox", ""}) {
    INFO(pattern);
    CHECK_FALSE(accepts({std::string("reference=") + pattern}, busybox));
  }
  CHECK(accepts({"reference=none", "reference=busybox"}, busybox));  // one of them
  CHECK_FALSE(accepts({"reference=*"}, image({})));
  CHECK(parse({"reference=busy*"})->shows("docker.io/library/busybox:1"));
  CHECK_FALSE(parse({"reference=busy*"})->shows("docker.io/library/other:1"));
  CHECK(parse({})->shows("anything"));
}

TEST_CASE("labels, names and age all have to fit") {
  const StoredImage tried = image({"docker.io/library/a:1"});
  CHECK(accepts({"label=kind", "label=kind=small", "label!=other", "label=empty="}, tried));
  CHECK_FALSE(accepts({"label=kind", "label=kind=big"}, tried));
  CHECK_FALSE(accepts({"label!=kind"}, tried));
  CHECK(accepts({"dangling=false", "readonly=0"}, tried));
  CHECK_FALSE(accepts({"dangling=true"}, tried));
  CHECK(accepts({"dangling=1"}, image({})));
  CHECK(accepts({"until=1h"}, tried));
  CHECK_FALSE(accepts({"until=48h"}, tried));
  CHECK(accepts({"until=48h"}, image({}, "")));  // of no known age: old
}

TEST_CASE("what is no filter is refused") {
  for (const char* word : {"", "dangling", "=x", "colour=red", "dangling=perhaps", "until=soon"}) {
    CHECK(parse({word}).error().code == ErrorCode::kInvalidArgument);
  }
  CHECK(parse({"before=nothing"}).error().code == ErrorCode::kNotFound);
}
