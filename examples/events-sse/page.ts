/** A page that shows what comes. The browser reconnects by itself, and says where it was. */
export const page = `<!doctype html>
<html lang="en">
  <meta charset="utf-8">
  <title>Parcels</title>
  <h1>Parcels</h1>
  <p id="state" role="status">connecting</p>
  <ul id="seen"></ul>
  <script>
    const state = document.getElementById('state')
    const events = new EventSource('/live')
    events.onopen = () => { state.textContent = 'live' }
    events.onerror = () => { state.textContent = 'away; trying again' }
    const add = (text) => {
      const item = document.createElement('li')
      item.textContent = text
      document.getElementById('seen').prepend(item)
    }
    events.addEventListener('seen', ({ data }) => {
      const { parcel, place } = JSON.parse(data)
      add(parcel + ': ' + place)
    })
    events.addEventListener('gap', () => add('Something may be missing here.'))
  </script>
</html>
`
