// The page inside the editor's frame. It has a policy of its own (an editor sets styles), so that the pages
// around it stay strict. The composer outside hands over its wishes as `frameElement.host`.

const { dataset } = document.body;
const host = window.frameElement.host;
const texts = JSON.parse(document.getElementById("editor-texts").textContent);
const SIZES = [10, 12, 13, 14, 15, 16, 18, 20, 24, 28, 32, 36];

function sizeBy(editor, step) {
  const now = parseInt(getComputedStyle(editor.selection.getNode()).fontSize, 10) || 14;
  const next = step > 0 ? SIZES.find((size) => size > now) : SIZES.findLast((size) => size < now);
  if (next) editor.execCommand("FontSize", false, `${next}px`);
}

function addButtons(editor) {
  const add = (name, text, tooltip, onAction) => editor.ui.registry.addButton(name, { text, tooltip, onAction });
  add("smaller", "A-", texts.smaller, () => sizeBy(editor, -1));
  add("larger", "A+", texts.larger, () => sizeBy(editor, 1));
  editor.ui.registry.addButton("plain", { icon: "new-document", tooltip: texts.plain, onAction: () => host.plain() });
}

function passKeys(editor) {
  editor.on("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      host.send();
    } else if (event.key === "Escape") host.escape();
    else if (event.key === "s" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      host.save();
    }
  });
}

// Pictures go into the text, every other file becomes an attachment.
function takeFiles(editor) {
  const others = (list) => [...(list || [])].filter((file) => !file.type.startsWith("image/"));
  for (const [name, source] of [["drop", "dataTransfer"], ["paste", "clipboardData"]]) {
    editor.on(name, (event) => {
      const files = others(event[source]?.files);
      if (!files.length || event[source].types.includes("text/html")) return;
      event.preventDefault();
      host.files(files);
    }, true);
  }
}

// The editor also reports what changes nothing, like getting the focus.
let known = null;
function noticed(editor) {
  if (known === null) return;
  const html = editor.getContent();
  if (html === known) return;
  known = html;
  host.changed();
}

async function upload(blobInfo) {
  const blob = blobInfo.blob();
  const answer = await host.image(new File([blob], blobInfo.filename(), { type: blob.type }));
  if (!answer) throw new Error(texts.failed);
  return answer.url;
}

const fonts = "微软雅黑='Microsoft YaHei','PingFang SC','Noto Sans CJK SC',sans-serif;"
  + "宋体=SimSun,'Songti SC','Noto Serif CJK SC',serif;黑体=SimHei,'Heiti SC',sans-serif;楷体=KaiTi,'Kaiti SC',serif;"
  + "Arial=arial,helvetica,sans-serif;Calibri=calibri,carlito,sans-serif;Georgia=georgia,serif;"
  + "Times New Roman='times new roman',times,serif;Verdana=verdana,geneva,sans-serif;Courier New='courier new',courier,monospace";

window.tinymce = window.hugerte; // the language files were made for the editor that this one was forked from
if (dataset.language) await import(dataset.languageUrl);

window.hugerte.init({
  target: document.getElementById("editor"),
  base_url: dataset.base,
  suffix: ".min",
  language: dataset.language || undefined,
  skin_url: dataset.skin,
  content_css: dataset.content,
  height: "100%",
  menubar: false,
  statusbar: false,
  branding: false,
  promotion: false,
  contextmenu: false,
  browser_spellcheck: true,
  convert_urls: false,
  entity_encoding: "raw",
  paste_data_images: true,
  automatic_uploads: true,
  images_upload_handler: upload,
  block_unsupported_drop: false,
  link_default_target: "_blank",
  link_context_toolbar: true,
  table_default_attributes: { border: "1" },
  table_default_styles: { "border-collapse": "collapse", width: "100%" },
  plugins: "lists link table image code autolink emoticons",
  toolbar: "fontfamily fontsize | smaller larger | bold italic underline removeformat | forecolor backcolor | lineheight | bullist numlist"
    + " | alignleft aligncenter alignright | outdent indent | link image table emoticons | code",
  toolbar_mode: matchMedia("(max-width: 600px)").matches ? "scrolling" : "sliding",
  font_family_formats: fonts,
  font_size_formats: SIZES.map((size) => `${size}px`).join(" "),
  line_height_formats: "1 1.2 1.4 1.6 1.8 2 2.5",
  images_file_types: "jpg,jpeg,png,gif,webp",
  file_picker_types: "image",
  iframe_attrs: { title: dataset.title },
  iframe_aria_text: dataset.title,
  setup(editor) {
    addButtons(editor);
    passKeys(editor);
    takeFiles(editor);
    editor.on("input change undo redo SetContent ExecCommand", () => noticed(editor));
  },
  init_instance_callback(editor) {
    editor.setContent(host.html());
    editor.undoManager.clear();
    editor.setDirty(false);
    known = editor.getContent();
    host.ready({
      html: () => editor.getContent(),
      text: () => editor.getContent({ format: "text" }),
      set: (html) => editor.setContent(html),
      focus: (atStart) => {
        editor.focus();
        if (atStart) editor.selection.setCursorLocation(editor.getBody().firstElementChild || editor.getBody(), 0);
      },
      uploaded: () => editor.uploadImages(),
    });
  },
});
