#include "image/layer_packer.hpp"

#include <string>
#include <vector>

#include "base/sha256.hpp"
#include "layer/byte_source.hpp"
#include "layer/compressor.hpp"
#include "layer/ingest.hpp"
#include "oci/media_type.hpp"
#include "sys/file.hpp"

namespace sbx::image {
namespace {

constexpr std::size_t kPieceBytes = 256U << 10U;

std::string layer_type(layer::Compression compression) {
  const std::string plain(oci::kOciLayerType);
  switch (compression) {
    case layer::Compression::kGzip:
      return plain + "+gzip";
    case layer::Compression::kZstd:
      return plain + "+zstd";
    case layer::Compression::kNone:
      break;
  }
  return plain;
}

}  // namespace

Result<void> read_layer(const StoredLayer& stored, const layer::ByteSink& take) {
  layer::FileSource source(stored.tar, 0, stored.size, stored.diff_id.str());
  std::vector<std::byte> buffer(kPieceBytes);
  Sha256 hash;
  while (const std::size_t got = SBX_TRY(source.read(buffer))) {
    const auto part = std::span(buffer).first(got);
    hash.update(part);
    SBX_TRY(take(part));
  }
  const oci::Digest digest(hash.finish());
  if (digest.bytes() == stored.diff_id.bytes()) {
    return {};
  }
  return fail(layer::wrong_digest("a layer of the store", stored.diff_id.str(), digest.str())
                  .with_hint("'sbx system check --repair' puts damaged files aside"));
}

Result<oci::Descriptor> pack_layer(const StoredLayer& stored, layer::Compression compression,
                                   int output) {
  oci::Descriptor out;
  out.media_type = layer_type(compression);
  Sha256 hash;
  const auto compressor =
      layer::Compressor::make(compression, [&](std::span<const std::byte> data) {
        hash.update(data);
        out.size += data.size();
        return sys::write_full(output, data, "a compressed layer");
      });
  SBX_TRY(
      read_layer(stored, [&](std::span<const std::byte> data) { return compressor->feed(data); }));
  SBX_TRY(compressor->finish());
  out.digest = oci::Digest(hash.finish());
  return out;
}

}  // namespace sbx::image
