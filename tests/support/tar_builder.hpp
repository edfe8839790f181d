#pragma once

// Tars made by hand, header by header: for what no writer writes.

#include <fmt/format.h>

#include <cstring>
#include <string>
#include <string_view>

namespace sbx::test {

struct TarMember {
  std::string name;
  char type = '0';
  std::string link;
  std::string data;
  std::string mode = "0000644";
  std::string uid = "0000000";
  std::string size;  // empty: of the data
  std::string magic = std::string(
      "ustar\0"
      "00",
      8);
};

/// One header block with its checksum.
inline std::string tar_header(const TarMember& m) {
  std::string block(512, '\0');
  const auto put = [&](std::size_t at, std::string_view text) {
    block.replace(at, text.size(), text);
  };
  put(0, std::string_view(m.name).substr(0, 100));
  put(100, m.mode);
  put(108, m.uid);
  put(116, "0000000");
  put(124, m.size.empty() ? fmt::format("{:011o}", m.data.size()) : m.size);
  put(136, "00000000000");
  put(148, "        ");
  block[156] = m.type;
  put(157, std::string_view(m.link).substr(0, 100));
  put(257, m.magic);
  put(329, "0000001");
  put(337, "0000003");
  unsigned sum = 0;
  for (const char c : block) {
    sum += static_cast<unsigned char>(c);
  }
  put(148, fmt::format("{:06o}", sum));
  block[154] = '\0';
  return block;
}

/// Header, data and padding.
inline std::string tar_member(const TarMember& m) {
  return tar_header(m) + m.data + std::string((512 - m.data.size() % 512) % 512, '\0');
}

inline std::string pax_record(const std::string& key, const std::string& value) {
  const std::size_t rest = key.size() + value.size() + 3;
  std::size_t size = rest + 1;
  while (std::to_string(size).size() + rest != size) {
    size = std::to_string(size).size() + rest;
  }
  return fmt::format("{} {}={}\n", size, key, value);
}

inline std::string tar_end() { return std::string(1024, '\0'); }

}  // namespace sbx::test
