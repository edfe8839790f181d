#include "image/sif.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstring>

#include "sys/fd.hpp"

namespace sbx::image::test {
namespace {

/// A SIF by the offsets of its format, as github.com/apptainer/sif writes them.
class Builder {
 public:
  Builder() {
    put(0, "#!/usr/bin/env run-singularity\n");
    put(32, std::string_view("SIF_MAGIC\0"
                             "01\0"
                             "02\0",
                             16));
    number<std::int64_t>(88, 48);   // descriptors
    number<std::int64_t>(96, 128);  // where
  }
  Builder& part(std::int32_t type, std::int64_t offset, std::int64_t size, std::string_view name,
                std::int32_t file_system = 0, std::int32_t kind = 0, std::string_view arch = "") {
    const std::size_t at = 128 + parts_++ * 585;
    number(at, type);
    text_[at + 4] = 1;
    number(at + 17, offset);
    number(at + 25, size);
    put(at + 73, name);
    number(at + 201, file_system);
    number(at + 205, kind);
    put(at + 209, arch);
    return *this;
  }
  template <class Number>
  Builder& number(std::size_t at, Number value) {
    put(at, {reinterpret_cast<const char*>(&value), sizeof value});
    return *this;
  }
  Builder& put(std::size_t at, std::string_view bytes) {
    std::memcpy(text_.data() + at, bytes.data(), bytes.size());
    return *this;
  }
  Result<Sif> read(std::size_t size = kSize) {
    const sys::Fd file(::memfd_create("sif", MFD_CLOEXEC));
    REQUIRE(::write(file.get(), text_.data(), size) == static_cast<ssize_t>(size));
    return read_sif(file.get(), size, "test.sif");
  }
  static constexpr std::size_t kSize = 65536;

 private:
  std::string text_ = std::string(kSize, '\0');
  std::size_t parts_ = 0;
};

Builder good() {
  return std::move(Builder()
                       .part(0x4001, 32768, 100, "deffile")
                       .part(0x4004, 40960, 4096, "overlay", 2, 4, "02")
                       .part(0x4004, 36864, 4096, "squashfs", 1, 2, "04"));
}

}  // namespace

TEST_CASE("the primary partition is found", "[sif]") {
  const Sif sif = good().read().value();
  CHECK((sif.root.offset == 36864 && sif.root.size == 4096));
  CHECK(sif.architecture == "arm64");
  CHECK(sif.oci_config.size == 0);
  const Sif docker = good().part(0x4006, 50000, 20, "oci-config.json").read().value();
  CHECK((docker.oci_config.offset == 50000 && docker.oci_config.size == 20));
}

TEST_CASE("what is no SIF, or not whole, is refused", "[sif]") {
  CHECK(good().put(32, "SIF_MAGIK").read().error().code == ErrorCode::kCorrupt);
  CHECK(good().put(42, "02").read().error().code == ErrorCode::kUnsupported);
  CHECK(good().read(100).error().code == ErrorCode::kCorrupt);
  CHECK(good().read(20000).error().code == ErrorCode::kCorrupt);
  CHECK(good().read(40000).error().code == ErrorCode::kCorrupt);
  CHECK(good().number<std::int64_t>(88, 1 << 20).read().error().code == ErrorCode::kLimit);
  CHECK(good().number<std::int64_t>(88, -1).read().error().code == ErrorCode::kLimit);
  CHECK(good().number<std::int64_t>(96, -5).read().error().code == ErrorCode::kCorrupt);
  CHECK(good().number<std::int64_t>(96, INT64_MAX).read().error().code == ErrorCode::kCorrupt);
  CHECK(Builder().part(0x4004, -1, 10, "x", 1, 2).read().error().code == ErrorCode::kCorrupt);
  CHECK(Builder().part(0x4004, 10, INT64_MAX, "x", 1, 2).read().error().code ==
        ErrorCode::kCorrupt);
}

TEST_CASE("roots that are no plain squashfs are named", "[sif]") {
  const auto why = [](std::int32_t file_system) {
    return Builder().part(0x4004, 0, 10, "x", file_system, 2).read().error().reason;
  };
  CHECK(why(2).find("ext3") != std::string::npos);
  CHECK(why(5).find("encrypted") != std::string::npos);
  CHECK(why(6).find("encrypted") != std::string::npos);
  CHECK(why(-3).find("type -3") != std::string::npos);
  CHECK(Builder().part(0x400A, 0, 10, "").read().error().reason.find("OCI-SIF") !=
        std::string::npos);
  CHECK(Builder().read().error().reason.find("no primary") != std::string::npos);
  CHECK(good().part(0x4004, 0, 10, "x", 1, 2).read().error().code == ErrorCode::kCorrupt);
  CHECK(Builder().part(0x4004, 0, 10, "x", 1, 2, "zz").read().value().architecture ==
        "unknown (zz)");
  CHECK(Builder().part(0x4004, 0, 10, "x", 1, 2, "00").read().value().architecture.empty());
}

}  // namespace sbx::image::test
