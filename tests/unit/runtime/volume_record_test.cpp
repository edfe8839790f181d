#include "runtime/volume_record.hpp"

#include <catch2/catch.hpp>

using sbx::ErrorCode;
using sbx::Json;
using sbx::runtime::parse_label;
using sbx::runtime::to_json;
using sbx::runtime::volume_record_from_json;
using sbx::runtime::VolumeFilter;
using sbx::runtime::VolumeRecord;

namespace {

constexpr std::int64_t kNow = 1'700'000'000;

VolumeRecord record() {
  return {"data", "2023-11-01T00:00:00.000000000Z", {{"a", "b"}, {"empty", ""}}, false};
}

bool accepts(const std::vector<std::string>& words, bool used = false) {
  return VolumeFilter::parse(words, kNow).value().accepts(record(), used);
}

}  // namespace

TEST_CASE("a volume's record is read as it was written") {
  const VolumeRecord back = volume_record_from_json(to_json(record())).value();
  CHECK(back.name == "data");
  CHECK(back.created == record().created);
  CHECK(back.labels == record().labels);
  CHECK_FALSE(back.anonymous);
}

TEST_CASE("a record of the wrong types is corrupt") {
  for (const char* text : {R"({"name":1})", R"({"labels":[]})", R"({"labels":{"a":1}})",
                           R"({"anonymous":"yes"})", R"({"created":{}})"}) {
    CAPTURE(text);
    CHECK(volume_record_from_json(sbx::parse_json(text, "test").value()).error().code ==
          ErrorCode::kCorrupt);
  }
}

TEST_CASE("labels have a name") {
  CHECK(parse_label("a=b=c").value() == std::pair<std::string, std::string>("a", "b=c"));
  CHECK(parse_label("a").value() == std::pair<std::string, std::string>("a", ""));
  CHECK_FALSE(parse_label(""));
  CHECK_FALSE(parse_label("=b"));
}

TEST_CASE("filters choose by name, labels, use and age") {
  CHECK(accepts({}));
  CHECK(accepts({"name=at"}));
  CHECK(accepts({"name=no", "name=da"}));
  CHECK_FALSE(accepts({"name=no"}));
  CHECK(accepts({"label=a"}));
  CHECK(accepts({"label=a=b", "label=empty"}));
  CHECK_FALSE(accepts({"label=a=c"}));
  CHECK_FALSE(accepts({"label=a", "label=x"}));
  CHECK(accepts({"label!=x"}));
  CHECK_FALSE(accepts({"label!=a"}));
  CHECK(accepts({"dangling=true"}));
  CHECK_FALSE(accepts({"dangling=true"}, true));
  CHECK(accepts({"dangling=false"}, true));
  CHECK(accepts({"anonymous=false"}));
  CHECK_FALSE(accepts({"anonymous=1"}));
  CHECK(accepts({"driver=local"}));
  CHECK_FALSE(accepts({"driver=nfs"}));
  CHECK(accepts({"until=24h"}));
  CHECK_FALSE(accepts({"until=2023-10-01T00:00:00Z"}));
}

TEST_CASE("filters that are none are refused") {
  for (const char* bad : {"", "name", "nonsense=1", "dangling=maybe", "until=yesterday"}) {
    CAPTURE(bad);
    CHECK(VolumeFilter::parse({bad}, kNow).error().code == ErrorCode::kInvalidArgument);
  }
}
