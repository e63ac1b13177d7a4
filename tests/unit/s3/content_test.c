/* content_test.c - which content may be uploaded as which type. */
#include "s3/content.h"

#include "base/budget.h"
#include "tap.h"

#include <pthread.h>
#include <stdlib.h>

#define BYTES(text)                                                                                \
    {                                                                                              \
        text, sizeof(text) - 1                                                                     \
    }

#define JPEG_START "\xFF\xD8\xFF\xE0\0\x10JFIF\0\1\1\0\0\1\0\1\0\0"
#define GIF        "GIF89a\1\0\1\0\x80\0\0\xFF\xFF\xFF\0\0\0!\xF9\4\1\0\0\0\0,\0\0\0\0\1\0\1\0\0\2\2D\1\0;"
#define PAGE       "<!DOCTYPE html><html><body><script>alert(1)</script></body></html>"
#define SVG_TAG                                                                                    \
    "<svg xmlns=\"http://www.w3.org/2000/svg\" xmlns:xlink=\"http://www.w3.org/1999/xlink\">"
#define SVG(inside) SVG_TAG inside "</svg>"
#define PDF         "%PDF-1.4\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n"
#define ZIP_START                                                                                  \
    "PK\3\4\24\0\0\0\0\0\0\0!\0\x86\xA6\x10\x36\5\0\0\0\5\0\0\0\5\0\0\0a.txthello"                 \
    "PK\1\2\24\0\24\0\0\0\0\0\0\0!\0\x86\xA6\x10\x36\5\0\0\0\5\0\0\0\5\0\0\0\0\0\0\0"
#define PNG_START "\x89PNG\r\n\x1A\n\0\0\0\rIHDR\0\0\0\1\0\0\0\1\x08\2\0\0\0\x90wS\xDE"

static const struct lst_slice jpeg = BYTES(JPEG_START "\xFF\xDB\0\x43\0");
static const struct lst_slice jpeg_with_page = BYTES(JPEG_START "\xFF\xFE\0\x60" PAGE);
static const struct lst_slice jpeg_with_pdf = BYTES(JPEG_START "\xFF\xFE\0\x60" PDF);
static const struct lst_slice jpeg_script = BYTES("\xFF\xD8\xFF\xE0/*JFIF\0\1\1\0\0\1\0\1\0\0*/=1");
static const struct lst_slice png = BYTES(PNG_START);
static const struct lst_slice gif = BYTES(GIF);
static const struct lst_slice gif_script = BYTES("GIF89a/*\1\0\x80\0\0*/=1;alert(1)");
static const struct lst_slice gif_text_script = BYTES("GIF89a=1;alert(document.domain)//;;");
static const struct lst_slice gif_with_pdf = BYTES("GIF89a" PDF);
static const struct lst_slice gif_with_page = BYTES(GIF PAGE);
static const struct lst_slice webp = BYTES("RIFF\x24\0\0\0WEBPVP8 \x18\0\0\0\x30\1\0\x9D\1\x2A\1\0"
                                           "\1\0\2\0\x34\x25\xA4\0\3\x70\0\xFE\xFB\x94\0\0");
static const struct lst_slice avif = BYTES("\0\0\0\x1C"
                                           "ftypavif\0\0\0\0avifmif1miaf\0\0\0\x08mdat");
static const struct lst_slice mp4 = BYTES("\0\0\0\x18"
                                          "ftypisom\0\0\2\0isommp42\0\0\0\x08mdat");
static const struct lst_slice pdf = BYTES(PDF);
static const struct lst_slice zip = BYTES(ZIP_START);
static const struct lst_slice elf = BYTES("\x7F"
                                          "ELF\2\1\1\0\0\0\0\0\0\0\0\0\2\0\x3E\0\1\0\0\0");
static const struct lst_slice page = BYTES(PAGE);
static const struct lst_slice text = BYTES("Hello, world.\nIt is a text.\n");
static const struct lst_slice json = BYTES("{\"a\": [1, 2, 3]}\n");
static const struct lst_slice noise = BYTES("\1\2\3\4\5\6\7\x81\x82\x83\x84\x85\0\0\0\1\1\1\1\1");
static const struct lst_slice svg = BYTES(SVG("<rect width=\"1\"/>"));
static const struct lst_slice svg_script = BYTES(SVG("<script>alert(1)</script>"));
static const struct lst_slice nothing = BYTES("");

static struct lst_content_pool *pool;
static char said[512]; /* of the last refusal */
static char detected[LST_CONTENT_DETECTED_MAX];

/* In pieces of so many bytes. *ret_taken: how many were taken without a refusal. */
static int check_in_pieces(const struct lst_content_plan *plan, struct lst_slice content,
                           size_t piece, size_t *ret_taken)
{
    struct lst_content_check *check;
    int status = lst_content_begin(pool, plan, &check);
    size_t taken = 0;

    if (status != LST_OK) {
        return status;
    }
    while (status == LST_OK && taken < content.length) {
        struct lst_slice next = lst_slice_first(lst_slice_after(content, taken), piece);
        status = lst_content_take(check, next);
        taken += status == LST_OK ? next.length : 0;
    }
    *ret_taken = taken;
    if (status == LST_OK) {
        status = lst_content_end(check);
    }
    snprintf(said, sizeof(said), "%s", lst_content_refusal(check).message);
    snprintf(detected, sizeof(detected), "%s", lst_content_refusal(check).detected);
    lst_content_free(check);
    return status;
}

/* The same answer whatever the pieces: "" if it is accepted, else what was detected. */
static const char *ask(const char *type, struct lst_slice content)
{
    struct lst_content_plan plan = {.declared = lst_slice_of(type)};
    size_t taken;
    int whole = check_in_pieces(&plan, content, SIZE_MAX, &taken);
    int bytes = check_in_pieces(&plan, content, 1, &taken);

    if (whole != bytes) {
        return "different answers to the whole and to its bytes";
    }
    return whole == LST_OK ? "" : whole == LST_ERR_MALFORMED ? detected : "an error";
}

struct accepted {
    const char *type;
    const struct lst_slice *content;
};

static void test_accepted(void)
{
    static const struct accepted cases[] = {
        {"image/jpeg", &jpeg},
        {"IMAGE/JPG", &jpeg},
        {"image/jpeg; q=1", &jpeg},
        {"image/png", &png},
        {"image/gif", &gif},
        {"image/webp", &webp},
        {"image/avif", &avif},
        {"video/mp4", &mp4},
        {"audio/mp4", &mp4},
        {"application/pdf", &pdf},
        {"application/zip", &zip},
        {"application/vnd.openxmlformats-officedocument.wordprocessingml.document", &zip},
        {"text/plain; charset=utf-8", &text},
        {"text/csv", &text},
        {"text/plain", &nothing},
        {"application/json", &json},
        {"application/ld+json", &json},
        {"text/html", &page},
        {"image/svg+xml", &svg},
        {"application/octet-stream", &elf},
        {"", &elf},
        {"application/x-something", &noise},
        {"application/x-something", &text},
        {"application/x-something", &nothing},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        const char *answer = ask(cases[i].type, *cases[i].content);
        CHECK(answer[0] == '\0', "case %zu: it is %s (%s)", i, cases[i].type, said);
    }
}

struct refused {
    const char *type;
    const struct lst_slice *content;
    const char *detected;
};

static void test_refused(void)
{
    static const struct refused cases[] = {
        {"image/jpeg", &page, "text/html"},
        {"image/jpeg", &svg_script, "image/svg+xml"},
        {"image/jpeg", &svg, "image/svg+xml"},
        {"image/jpeg", &zip, "application/zip"},
        {"image/jpeg", &elf, "application/x-executable"},
        {"image/jpeg", &png, "image/png"},
        {"image/jpeg", &text, "text/plain"},
        {"image/jpeg", &noise, "application/octet-stream"},
        {"image/jpeg", &nothing, "application/x-empty"},
        {"image/png", &jpeg, "image/jpeg"},
        {"image/jpeg", &jpeg_with_page, "text/html"},
        {"image/jpeg", &jpeg_with_pdf, "application/pdf"},
        {"image/jpeg", &jpeg_script, "application/javascript"},
        {"image/gif", &gif_script, "application/javascript"},
        {"image/gif", &gif_text_script, "application/javascript"},
        {"image/gif", &gif_with_pdf, "application/pdf"},
        {"image/gif", &gif_with_page, "text/html"},
        {"application/pdf", &gif_with_pdf, "image/gif"},
        {"application/pdf", &page, "text/html"},
        {"application/zip", &elf, "application/x-executable"},
        {"text/plain", &page, "text/html"},
        {"text/plain", &svg_script, "image/svg+xml"},
        {"application/xml", &svg_script, "image/svg+xml"},
        {"text/plain", &elf, "application/x-executable"},
        {"text/plain", &noise, "application/octet-stream"},
        {"text/javascript", &gif_text_script, "image/gif"},
        {"application/json", &page, "text/html"},
        {"application/x-something", &elf, "application/x-executable"},
        {"application/x-something", &svg_script, "image/svg+xml"},
        {"image/svg+xml", &jpeg, "application/octet-stream"},
        {"image/svg+xml", &page, "application/octet-stream"},
        {"image/svg+xml", &nothing, "application/octet-stream"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        const char *answer = ask(cases[i].type, *cases[i].content);
        CHECK(strcmp(answer, cases[i].detected) == 0, "case %zu: %s that is %s is refused: %s (%s)",
              i, cases[i].type, cases[i].detected, answer, said);
    }
}

static void test_text_cut_in_a_letter(void)
{
    static char letters[LST_CONTENT_WINDOW + 2];

    for (size_t i = 0; i < sizeof(letters) - 1; i += 2) {
        memcpy(letters + i + 1, "\xC3\xA9", i + 2 < sizeof(letters) ? 2 : 1);
    }
    letters[0] = 'a';
    CHECK(ask("text/plain", lst_slice_make(letters, sizeof(letters)))[0] == '\0',
          "a letter across the end of what is looked at does not matter (%s)", said);
}

/* What a browser would run or fetch; each is an SVG but for that. */
static void test_svg_refused(void)
{
    static const char *const cases[] = {
        SVG("<script>1</script>"),
        SVG("<g><SCRIPT/></g>"),
        SVG("<x:script xmlns:x=\"http://www.w3.org/1999/xhtml\"/>"),
        SVG("<x:p xmlns:x=\"http://www.w3.org/1999/xhtml\"/>"),
        SVG("<foreignObject/>"),
        SVG("<foreignobject/>"),
        SVG("<iframe/>"),
        SVG("<rect onload=\"a()\"/>"),
        SVG("<rect ONCLICK=\"a()\"/>"),
        SVG("<a href=\"javascript:a()\"/>"),
        SVG("<a href=\"  jAva&#x0A;script:a()\"/>"),
        SVG("<a xlink:href=\"java&#9;script&#13;:a()\"/>"),
        SVG("<a><set attributeName=\"href\" to=\"#x\"/></a>"),
        SVG("<a><animate attributeName=\"xlink:href\" values=\"#a\"/></a>"),
        SVG("<a><animate attributeName=\"x\" values=\"1;javascript:a()\"/></a>"),
        SVG("<set attributeName=\"onclick\" to=\"a()\"/>"),
        SVG("<image href=\"https://example.com/a.png\"/>"),
        SVG("<image xlink:href=\"//example.com/a.png\"/>"),
        SVG("<use href=\"other.svg#a\"/>"),
        SVG("<use href=\"data:image/svg+xml;base64,AAAA\"/>"),
        SVG("<image href=\"data:text/html;base64,AAAA\"/>"),
        SVG("<g xml:base=\"https://example.com/\"/>"),
        SVG("<rect fill=\"url(https://example.com/a)\"/>"),
        SVG("<rect style=\"background: URL( 'https://example.com/a')\"/>"),
        SVG("<style>@import 'a.css';</style>"),
        SVG("<style>a { b: u\\72l(x) }</style>"),
        SVG("<style><![CDATA[ a { b: url(//example.com) } ]]></style>"),
        SVG("<style>a { b: u<x/>rl(//example.com) }</style>"),
        "<!DOCTYPE svg [<!ENTITY a \"b\">]>" SVG(""),
        "<!DOCTYPE svg [<!ATTLIST svg onload CDATA \"a()\">]>" SVG(""),
        "<!DOCTYPE svg SYSTEM \"file:///etc/passwd\">" SVG(""),
        "<?xml-stylesheet href=\"a.css\"?>" SVG(""),
        SVG("<?php system(1) ?>"),
        SVG_TAG,
        SVG("<a></b>"),
        SVG("") "<more/>",
        SVG("&unknown;"),
        "<html/>",
        ("  " PAGE),
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        const char *answer = ask("image/svg+xml", lst_slice_of(cases[i]));
        CHECK(strstr(answer, "/") != NULL, "refused: %s (%s)", cases[i], said);
    }
}

static void test_svg_accepted(void)
{
    static const char *const cases[] = {
        SVG("<rect fill=\"url(#a)\" style=\"fill:url('#b')\"/><use xlink:href=\"#c\"/>"),
        SVG("<image href=\"data:image/png;base64,iVBORw0KGgo=\"/>"),
        SVG("<style>rect { fill: red } text { font-family: 'A' }</style><text>on script</text>"),
        SVG("<animate attributeName=\"x\" values=\"1;2\"/>"),
        SVG("<g xmlns:i=\"http://www.inkscape.org/x\" i:export=\"C:\\a\\url(x)\"/>"),
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?> <!DOCTYPE svg PUBLIC \"-//W3C//DTD SVG "
        "1.1//EN\" "
        "\"http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd\">" SVG("<!-- <script> -->"),
        "<svg/>",
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        const char *answer = ask("image/svg+xml", lst_slice_of(cases[i]));
        CHECK(answer[0] == '\0', "accepted: %s (%s)", cases[i], said);
    }
}

#define XHTML_DOCTYPE                                                                              \
    "<!DOCTYPE svg PUBLIC \"-//W3C//DTD XHTML 1.0 Transitional//EN\" "                             \
    "\"http://www.w3.org/TR/xhtml1/DTD/xhtml1-transitional.dtd\">"
#define SVG_DOCTYPE                                                                                \
    "<!DOCTYPE svg PUBLIC \"-//W3C//DTD SVG 1.1//EN\" "                                            \
    "\"http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd\">"

/* A browser knows the entities of some document types, which are not read here: what stands there
 * would be overlooked. */
static void test_entities_refused(void)
{
    static const char *const cases[] = {
        XHTML_DOCTYPE SVG("<a href=\"javascript&colon;alert&lpar;1)\"/>"),
        XHTML_DOCTYPE SVG("<rect/>"),
        "<!DOCTYPE svg PUBLIC \"-//W3C//DTD XHTML 1.1 plus MathML 2.0 plus SVG 1.1//EN\" "
        "\"http://www.w3.org/2002/04/xhtml-math-svg/xhtml-math-svg.dtd\">" SVG(""),
        "<!DOCTYPE svg PUBLIC \"-//WAPFORUM//DTD XHTML Mobile 1.0//EN\" "
        "\"http://www.w3.org/TR/a\">" SVG(""),
        SVG_DOCTYPE SVG("<a href=\"#javascript&colon;alert(1)\"/>"),
        SVG_DOCTYPE SVG("<a id=\"a\" href=\"java&Tab;script&colon;a\"/>"),
        SVG_DOCTYPE SVG("<style>a { b: u&rlm;rl(x) }</style>"),
        SVG_DOCTYPE SVG("<g>&nbsp;</g>"),
        "<?xml version=\"1.0\" standalone=\"no\"?>" SVG_DOCTYPE SVG("<g a=\"&amp;&x;\"/>"),
        "<?xml version=\"1.1\"?>" SVG(""),
        "<?xml version=\"1.0\" encoding=\"shift_jis\"?>" SVG(""),
        "<?xml version=\"1.0\" encoding=\"utf-7\"?>" SVG(""),
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        const char *answer = ask("image/svg+xml", lst_slice_of(cases[i]));
        CHECK(strstr(answer, "/") != NULL, "refused: %s (%s)", cases[i], said);
    }
    CHECK(ask("image/svg+xml",
              LST_SLICE(SVG_DOCTYPE SVG("<a id=\"&#65;&amp;&lt;&quot;\"/>&apos;")))[0] == '\0',
          "what XML itself has is read (%s)", said);
}

/* ASCII as UTF-16 with its mark. */
static struct lst_slice widen(const char *letters, char *room)
{
    size_t length = 2;

    memcpy(room, "\xFF\xFE", 2);
    for (; *letters != '\0'; letters++) {
        room[length++] = *letters;
        room[length++] = '\0';
    }
    return lst_slice_make(room, length);
}

static void test_encodings(void)
{
    static const char *const odd[] = {
        "shift_jis",      "utf-16", "\"utf-16le\"", "iso-2022-jp", "utf-7",
        "x-user-defined", "",       "gb18030"};
    char room[2048];
    char type[64];

    CHECK(ask("image/svg+xml", widen(SVG("<rect/>"), room))[0] == '\0', "UTF-16 is read (%s)",
          said);
    CHECK(ask("image/svg+xml", widen(SVG("<script/>"), room))[0] != '\0', "and looked at");
    CHECK(ask("image/svg+xml", widen(SVG_DOCTYPE SVG("<a b=\"&colon;\"/>"), room))[0] != '\0',
          "and its entities too");
    CHECK(ask("text/xml", widen("<a xmlns=\"http://www.w3.org/1999/xhtml\"/>", room))[0] != '\0',
          "other XML too");
    for (size_t i = 0; i < sizeof(odd) / sizeof(*odd); i++) {
        snprintf(type, sizeof(type), "image/svg+xml; a=b ; Charset=%s", odd[i]);
        CHECK(ask(type, svg)[0] != '\0', "a browser would read it otherwise: %s", type);
        snprintf(type, sizeof(type), "text/xml;charset = %s", odd[i]);
        CHECK(ask(type, LST_SLICE("<a/>"))[0] != '\0', "a browser would read it otherwise: %s",
              type);
    }
    CHECK(ask("image/svg+xml; charset=\"UTF-8\"", svg)[0] == '\0', "UTF-8 is fine (%s)", said);
    CHECK(ask("image/svg+xml;charset=utf-8;charset=utf-16", svg)[0] != '\0', "any of them counts");
}

#define HTML_SPACE "http://www.w3.org/1999/xhtml"
#define RUNS       "=\"alert(1)\""

/* By whatever type XML is sent: a browser goes by the namespaces. */
static void test_xml_refused(void)
{
    static const char *const cases[] = {
        "<html xmlns=\"" HTML_SPACE "\"><head/></html>",
        "<html/>",
        "<r xmlns:x=\"" HTML_SPACE "\"><x:script>alert(1)</x:script></r>",
        "<r><a xmlns=\"" HTML_SPACE "\" onclick" RUNS "/></r>",
        "<r><x:b xmlns:x=\"http://www.w3.org/1999/&#x78;html\"/></r>",
        SVG(""),
        "<x:svg xmlns:x=\"http://www.w3.org/2000/svg\"><x:script/></x:svg>",
        "<r><x:rect xmlns:x=\"http://www.w3.org/2000/svg\" onload" RUNS "/></r>",
        "<svg/>",
        "<math xmlns=\"http://www.w3.org/1998/Math/MathML\" onclick" RUNS "/>",
        "<r xmlns:xlink=\"http://www.w3.org/1999/xlink\" xlink:href=\"java&#10;script:a()\"/>",
        "<r xmlns:xlink=\"http://www.w3.org/1999/xlink\" xlink:href=\"data:text/html,a\"/>",
        "<r xmlns:e=\"http://www.w3.org/2001/xml-events\" e:event=\"load\"/>",
        "<e:listener xmlns:e=\"http://www.w3.org/2001/xml-events\"/>",
        "<?xml-stylesheet type=\"text/xsl\" href=\"#s\"?><r/>",
        "<r/><?xml-stylesheet href=\"a.css\"?>",
        "<r><?php a() ?></r>",
        "<xsl:stylesheet xmlns:xsl=\"http://www.w3.org/1999/XSL/Transform\" version=\"1.0\"/>",
        "<!DOCTYPE r [<!ENTITY a \"b\">]><r>&a;</r>",
        "<!DOCTYPE r [<!ATTLIST r xmlns CDATA \"" HTML_SPACE "\">]><r/>",
        "<!DOCTYPE r SYSTEM \"http://example.com/a.dtd\"><r/>",
        XHTML_DOCTYPE "<r/>",
        SVG_DOCTYPE "<r/>",
        "<r>",
        "<r><x:script xmlns:x=\"" HTML_SPACE "\">",
        "just text",
        "",
        PAGE,
    };
    static const char *const types[] = {"application/xml",     "text/xml; charset=utf-8",
                                        "application/rss+xml", "application/atom+xml",
                                        "image/x+xml",         "Model/Anything+XML"};

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        for (size_t j = 0; j < sizeof(types) / sizeof(*types); j++) {
            CHECK(strstr(ask(types[j], lst_slice_of(cases[i])), "/") != NULL,
                  "refused as %s: %s (%s)", types[j], cases[i], said);
        }
    }
    CHECK(ask("application/mathml+xml",
              LST_SLICE("<math xmlns=\"http://www.w3.org/1998/Math/MathML\" "
                        "onclick" RUNS "/>"))[0] != '\0',
          "MathML that runs");
    CHECK(ask("application/mathml+xml",
              LST_SLICE("<math xmlns=\"http://www.w3.org/1998/Math/MathML\" "
                        "href=\"javascript:a()\"/>"))[0] != '\0',
          "MathML that leads elsewhere");
    CHECK(ask("text/xsl", LST_SLICE("<r xmlns=\"" HTML_SPACE "\"/>"))[0] != '\0',
          "HTML as text/xsl");
    CHECK(strcmp(ask("text/xml", LST_SLICE("<r><b xmlns=\"" HTML_SPACE "\"/></r>")), "text/html") ==
              0,
          "it says what it is (%s)", said);
}

static void test_xml_accepted(void)
{
    static const char *const cases[] = {
        "<?xml version=\"1.0\"?><rss "
        "version=\"2.0\"><channel><link>https://a.example</link></channel></rss>",
        "<feed xmlns=\"http://www.w3.org/2005/Atom\"><content "
        "type=\"html\">&lt;script&gt;</content></feed>",
        "<!DOCTYPE note><note script=\"javascript:x\" onload=\"1\"/>",
        "<?app a?><r xmlns:xlink=\"http://www.w3.org/1999/xlink\" "
        "xlink:href=\"https://a.example\"/>",
        "<r><script/><p/></r>",
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        CHECK(ask("application/xml", lst_slice_of(cases[i]))[0] == '\0', "accepted: %s (%s)",
              cases[i], said);
    }
    CHECK(
        ask("application/mathml+xml",
            LST_SLICE("<math xmlns=\"http://www.w3.org/1998/Math/MathML\"><mi>x</mi></math>"))[0] ==
            '\0',
        "MathML as what it is (%s)", said);
    CHECK(ask("text/xsl",
              LST_SLICE("<xsl:stylesheet xmlns:xsl=\"http://www.w3.org/1999/XSL/Transform\" "
                        "version=\"1.0\"/>"))[0] == '\0',
          "a stylesheet as what it is (%s)", said);
}

/* Types behind which a browser looks for another, or that are none. */
static void test_indefinite_types(void)
{
    static const char *const types[] = {
        "*/*",
        "image/*",
        "application/unknown",
        "unknown/unknown",
        "Application/Unknown; a=b",
        "image",
        "image/",
        "/png",
        "image/png/x",
        "image/png,text/html",
        "image /png",
        ";image/png",
        "multipart/x-mixed-replace",
        "multipart/related",
        " ",
    };

    for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++) {
        CHECK(ask(types[i], page)[0] != '\0', "a page as '%s'", types[i]);
        CHECK(ask(types[i], png)[0] != '\0', "a picture as '%s'", types[i]);
        CHECK(ask(types[i], nothing)[0] != '\0', "nothing as '%s'", types[i]);
    }
}

/* By the table of "MIME Sniffing", section 7.1. */
static void test_pages_of_other_types(void)
{
    static const char *const pages[] = {
        " \t\r\n\f<b onmouseover=alert(1)>",
        "<p >",
        "<!-- x --><script>1</script>",
        "<A\thref=x>",
        "<br/>",
        "\xEF\xBB\xBF<Div>",
        "<h1>",
        "<table>",
        "<style>",
        "<font>",
        "<svg onload=alert(1)>",
        "<iframe>",
    };
    char far[3000];

    for (size_t i = 0; i < sizeof(pages) / sizeof(*pages); i++) {
        CHECK(ask("application/x-something", lst_slice_of(pages[i]))[0] != '\0', "a page: %s",
              pages[i]);
    }
    memset(far, ' ', sizeof(far));
    memcpy(far + 2900, "<b onclick=a()>x</b>", 20);
    CHECK(ask("application/x-something", lst_slice_make(far, sizeof(far)))[0] != '\0',
          "behind much white space");
    CHECK(ask("application/x-something", LST_SLICE("<abc> is no tag"))[0] == '\0', "no page (%s)",
          said);
}

/* Far more than the window, and the wrong thing only at the end. */
static void test_svg_to_its_end(void)
{
    enum { SIZE = 3 * 1024 * 1024 };
    static const char evil[] = "<script/></svg>";
    struct lst_content_plan plan = {.declared = LST_SLICE("image/svg+xml")};
    char *content = malloc(SIZE);
    size_t length = strlen(SVG_TAG);
    size_t taken;

    if (content == NULL) {
        return;
    }
    memcpy(content, SVG_TAG, length);
    while (length + 4 + sizeof(evil) < SIZE) {
        memcpy(content + length, "<g/>", 4);
        length += 4;
    }
    memcpy(content + length, evil, strlen(evil));
    CHECK(check_in_pieces(&plan, lst_slice_make(content, length + strlen(evil)), 10000, &taken) ==
              LST_ERR_MALFORMED,
          "a script after 3 MB is found: %s", said);
    memset(content + strlen(SVG_TAG), 'a', SIZE - strlen(SVG_TAG));
    content[strlen(SVG_TAG)] = '<';
    CHECK(check_in_pieces(&plan, lst_slice_make(content, SIZE), 10000, &taken) ==
                  LST_ERR_MALFORMED &&
              strstr(said, "too long") != NULL && taken < 1200000,
          "a tag without an end is not kept in memory: %s", said);
    free(content);
}

static void test_early(void)
{
    enum { SIZE = 1024 * 1024 };
    struct lst_content_plan plan = {.declared = LST_SLICE("image/jpeg")};
    char *content = calloc(1, SIZE);
    size_t taken;

    if (content == NULL) {
        return;
    }
    memset(content, ' ', SIZE);
    memcpy(content, page.bytes, page.length);
    CHECK(check_in_pieces(&plan, lst_slice_make(content, SIZE), 1000, &taken) ==
                  LST_ERR_MALFORMED &&
              taken < LST_CONTENT_WINDOW,
          "refused after %zu bytes of a million", taken);
    free(content);
}

/* A part says nothing of its type, but may be held against a list. */
static void test_parts(void)
{
    static const struct {
        const char *types;
        const struct lst_slice *content;
        bool is_fine;
    } cases[] = {
        {"", &elf, true},
        {"image/*", &jpeg, true},
        {"application/pdf, image/*", &png, true},
        {"image/*,application/pdf", &pdf, true},
        {"image/jpg", &jpeg, true},
        {"*/*", &text, true},
        {"image/*", &page, false},
        {"image/*", &pdf, false},
        {"image/*", &noise, false},
        {"image/*", &svg, false},
        {"image/svg+xml", &svg, false},
        {"image/*", &jpeg_with_page, false},
        {"image/png", &jpeg, false},
        {"application/pdf", &zip, false},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct lst_content_plan plan = {.types = lst_slice_of(cases[i].types), .is_part = true};
        size_t taken;
        int status = check_in_pieces(&plan, *cases[i].content, 7, &taken);
        CHECK(status == (cases[i].is_fine ? LST_OK : LST_ERR_MALFORMED), "part %zu: %s, %s", i,
              cases[i].types, said);
    }
}

static void *look_often(void *wrong)
{
    struct lst_content_plan plan = {.declared = LST_SLICE("image/png")};

    for (unsigned i = 0; i < 200; i++) {
        struct lst_content_check *check;
        bool is_png = i % 2 == 0;
        if (lst_content_begin(pool, &plan, &check) != LST_OK) {
            *(bool *)wrong = true;
            return NULL;
        }
        if (lst_content_take(check, is_png ? png : gif) != LST_OK ||
            lst_content_end(check) != (is_png ? LST_OK : LST_ERR_MALFORMED)) {
            *(bool *)wrong = true;
        }
        lst_content_free(check);
    }
    return NULL;
}

static void test_threads(void)
{
    pthread_t threads[8];
    bool wrong[8] = {false};
    bool any = false;

    for (size_t i = 0; i < 8; i++) {
        if (pthread_create(&threads[i], NULL, look_often, &wrong[i]) != 0) {
            any = true;
            threads[i] = pthread_self();
        }
    }
    for (size_t i = 0; i < 8; i++) {
        if (!pthread_equal(threads[i], pthread_self())) {
            (void)pthread_join(threads[i], NULL);
        }
        any = any || wrong[i];
    }
    CHECK(!any, "eight threads at once get the answers that one gets");
}

/* A style that there is no room for at the moment says nothing against the SVG. */
static void test_style_without_memory(void)
{
    enum { STYLE = 250 * 1024, LEFT = 200 * 1024 /* bytes: for the parser itself */ };
    static char document[STYLE + 1024];
    const struct lst_content_plan plan = {.declared = LST_SLICE("image/svg+xml")};
    struct lst_content_check *check = NULL;
    int length = snprintf(document, sizeof(document), SVG_TAG "<style>/*%*s*/</style></svg>",
                          (int)STYLE, "");
    size_t taken = 0;
    int status = lst_content_begin(pool, &plan, &check);

    if (!CHECK(status == LST_OK, "an SVG is begun")) {
        return;
    }
    while (lst_budget_take(LEFT)) {
        taken += LEFT;
    }
    lst_budget_give(LEFT);
    status = lst_content_take(check, lst_slice_make(document, (size_t)length));
    if (status == LST_OK) {
        status = lst_content_end(check);
    }
    lst_budget_give(taken - LEFT);
    lst_content_free(check);
    CHECK(status == LST_ERR_NO_MEMORY, "its style finds no memory: that is no refusal (%d)",
          status);
    CHECK(strcmp(ask("image/svg+xml", lst_slice_make(document, (size_t)length)), "") == 0,
          "with memory it is accepted");
}

int main(void)
{
    if (!CHECK(lst_content_pool_open(&pool) == LST_OK, "a pool can be opened")) {
        return tap_done();
    }
    test_accepted();
    test_refused();
    test_text_cut_in_a_letter();
    test_svg_refused();
    test_svg_accepted();
    test_entities_refused();
    test_encodings();
    test_xml_refused();
    test_xml_accepted();
    test_indefinite_types();
    test_pages_of_other_types();
    test_svg_to_its_end();
    test_early();
    test_parts();
    test_threads();
    test_style_without_memory();
    lst_content_pool_close(pool);
    return tap_done();
}
