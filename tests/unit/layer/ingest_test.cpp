#include "layer/ingest.hpp"

#include <fcntl.h>
#include <sys/mman.h>

#include <catch2/catch.hpp>

#include "base/sha256.hpp"
#include "sys/file.hpp"
#include "tar_builder.hpp"

using sbx::ErrorCode;
using sbx::Result;
using sbx::layer::IngestedLayer;
using sbx::layer::IngestRequest;
using sbx::layer::LayerIndex;
using sbx::layer::PackedEntries;
using sbx::layer::TarEntry;
using sbx::layer::TreeBudget;
using sbx::layer::TreeLimits;
using sbx::sys::Fd;
using sbx::test::tar_end;
using sbx::test::tar_member;

namespace {

Fd memory_file(std::string_view data) {
  Fd fd(::memfd_create("file", MFD_CLOEXEC));
  REQUIRE(sbx::sys::write_full(fd.get(), data, "file"));
  return fd;
}

std::string sha256_hex(std::string_view data) {
  sbx::Sha256 hash;
  hash.update(std::as_bytes(std::span(data)));
  return hash.finish_hex();
}

struct Fixture {
  TreeBudget budget{TreeLimits{}};
  LayerIndex index{budget};
  Fd output = memory_file("");

  Result<IngestedLayer> ingest(const std::string& data, std::uint64_t size,
                               const sbx::oci::Digest* expected = nullptr) {
    const Fd input = memory_file(data);
    sbx::layer::FileSource source(input.get(), 0, data.size(), "input");
    IngestRequest request;
    request.source = &source;
    request.name = "layer";
    request.compressed_size = size;
    request.output = output.get();
    return sbx::layer::ingest_layer(request, expected, index);
  }
};

std::string many_files() {
  std::string tar;
  for (int i = 0; i < 3000; ++i) {
    tar += tar_member(
        {"f" + std::to_string(i), '0', "", std::string(static_cast<std::size_t>(i), 'x')});
  }
  return tar + tar_end();
}

}  // namespace

TEST_CASE("one pass gives the tar, its digests and its index") {
  const std::string tar = many_files();
  Fixture f;
  const auto layer = f.ingest(tar, tar.size());
  REQUIRE(layer);
  CHECK(layer->diff_id.hex() == sha256_hex(tar));
  CHECK(layer->compressed.hex() == sha256_hex(tar));
  CHECK(layer->tar_size == tar.size());
  CHECK(f.index.entries().count() == 3000);
  std::string written(tar.size(), '\0');
  REQUIRE(sbx::sys::pread_full(f.output.get(), std::as_writable_bytes(std::span(written)), 0,
                               "output"));
  CHECK(written == tar);

  LayerIndex again(f.budget);
  REQUIRE(sbx::layer::index_stored_layer(f.output.get(), tar.size(), "layer", again));
  REQUIRE(again.entries().count() == 3000);
  PackedEntries::Reader one(f.index.entries());
  PackedEntries::Reader other(again.entries());
  for (int i = 0; i < 3000; ++i) {
    const TarEntry* entry = one.next();
    REQUIRE(entry->path == "f" + std::to_string(i));
    REQUIRE(other.next()->data_offset == entry->data_offset);
    REQUIRE(entry->size == static_cast<std::uint64_t>(i));
  }
}

TEST_CASE("a layer of another size is refused") {
  const std::string tar = many_files();
  Fixture larger;
  CHECK(larger.ingest(tar, tar.size() - 1).error().code == ErrorCode::kCorrupt);
  Fixture smaller;
  CHECK(smaller.ingest(tar, tar.size() + 1).error().code == ErrorCode::kCorrupt);
}

TEST_CASE("broken content of the wrong digest is reported as the wrong digest") {
  std::string tar = many_files();
  const auto expected = sbx::oci::Digest::from_hex(sha256_hex(tar));
  tar[700] = '!';  // in a header
  Fixture f;
  const auto layer = f.ingest(tar, tar.size(), &*expected);
  REQUIRE_FALSE(layer);
  CHECK(layer.error().op == "verify");
  Fixture honest;
  CHECK(honest.ingest(tar, tar.size()).error().op == "read tar header");
}

TEST_CASE("a failing writer ends the pipeline") {
  const std::string tar = many_files();
  Fixture f;
  f.output = Fd(::open("/dev/full", O_WRONLY | O_CLOEXEC));
  const auto layer = f.ingest(tar, tar.size());
  REQUIRE_FALSE(layer);
  CHECK(layer.error().sys_errno == ENOSPC);
}
