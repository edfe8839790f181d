#include "layer/text_pool.hpp"

#include <catch2/catch.hpp>
#include <string>
#include <utility>

using sbx::layer::TextPool;

TEST_CASE("texts of all sizes are found again, and are not moved by later ones") {
  TextPool pool;
  std::vector<std::pair<std::uint32_t, std::string>> kept;
  for (std::size_t i = 0; i < 300; ++i) {
    std::string text(i * 977 % (TextPool::kMaxText + 1), static_cast<char>('a' + i % 26));
    kept.emplace_back(pool.add(text), std::move(text));
  }
  const char* first = pool.get(kept[1].first, 1).data();
  kept.emplace_back(pool.add(std::string(TextPool::kMaxText, 'z')),
                    std::string(TextPool::kMaxText, 'z'));
  CHECK(pool.get(kept[1].first, 1).data() == first);
  for (const auto& [at, text] : kept) {
    REQUIRE(pool.get(at, text.size()) == text);
  }
}

TEST_CASE("an empty text has a place, at the end of a full piece too") {
  TextPool pool;
  CHECK(pool.get(pool.add(""), 0).empty());
  const std::string text(4095, 'x');
  for (int i = 0; i < 16; ++i) {  // 65520 bytes
    (void)pool.add(text);
  }
  (void)pool.add(std::string(15, 'y'));
  const auto at = pool.add("");
  CHECK(pool.get(at, 0).empty());
  CHECK(pool.get(pool.add("after"), 5) == "after");
}
